ALTER TABLE public.letters ADD COLUMN customer_id bigint;
