CREATE FUNCTION public.copy_orders() RETURNS void LANGUAGE sql
  BEGIN ATOMIC INSERT INTO public.orders (id) SELECT id FROM public.customers; DELETE FROM public.letters; END;
EXPLAIN SELECT id FROM public.orders;
-- allow data-change: two orders, both made by hand
WITH found AS (SELECT id FROM public.orders WHERE id IN (1, 2)), changed AS (
  UPDATE public.orders SET amount = 1 WHERE id IN (SELECT id FROM found) RETURNING id)
SELECT count(*) FROM (SELECT id FROM changed) c;
