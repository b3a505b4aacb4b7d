-- allow drop-constraint: the importer checks scores since release 12
ALTER TABLE public.customers DROP CONSTRAINT customers_score_positive;
