WITH copied AS (INSERT INTO public.orders (id, amount) SELECT 1000 + id, score FROM public.customers RETURNING id)
SELECT count(*) FROM copied;
EXPLAIN ANALYZE INSERT INTO public.notes (id) SELECT id FROM public.customers;
COPY (INSERT INTO public.letters SELECT id, 'me' FROM public.orders RETURNING id) TO STDOUT;
EXPLAIN ANALYZE CREATE TABLE public.copies AS SELECT id FROM public.customers;
