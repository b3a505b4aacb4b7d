ALTER TABLE public.customers ADD COLUMN number bigint;
