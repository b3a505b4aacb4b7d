ALTER TABLE public.customers ALTER COLUMN score TYPE bigint;
