ALTER TABLE public.customers ADD COLUMN points public.score, ADD COLUMN ranks public.rank[];
