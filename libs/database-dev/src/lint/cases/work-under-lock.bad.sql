ALTER TABLE public.customers ADD COLUMN remark text;
ALTER TABLE public.orders VALIDATE CONSTRAINT orders_amount_positive;
-- allow data-change: two rows that the importer left on the first day
DELETE FROM public.letters WHERE id IN (1, 2);
