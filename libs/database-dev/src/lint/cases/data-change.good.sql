-- allow data-change: two rows that the importer left on the first day
DELETE FROM public.customers WHERE id IN (1, 2);
