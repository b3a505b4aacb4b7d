-- allow drop-not-null: the release of June reads NULL as an empty text
-- allow drop-not-null: said a second time, so that one of the two is out of date
ALTER TABLE public.customers ALTER COLUMN email DROP NOT NULL; -- allow drop-constraint: the importer checks scores since release 12
--allow drop-constraint: without its space it is another comment
ALTER TABLE public.orders
  -- allow drop-constraint: within the statement it is about nothing
  DROP CONSTRAINT orders_amount_positive;
-- allow create-index: after the last statement there is nothing to allow
