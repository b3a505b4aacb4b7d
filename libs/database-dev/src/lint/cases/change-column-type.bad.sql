ALTER TABLE public.customers ALTER COLUMN code TYPE bytea USING code::bytea;
