ALTER TABLE public.customers ADD COLUMN points public.positive;
