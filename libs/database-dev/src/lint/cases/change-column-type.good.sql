ALTER TABLE public.customers ALTER COLUMN code TYPE varchar(40);
