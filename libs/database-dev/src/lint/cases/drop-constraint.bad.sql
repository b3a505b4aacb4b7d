ALTER TABLE public.customers DROP CONSTRAINT customers_score_positive;
