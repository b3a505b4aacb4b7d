SELECT public.forget();
CALL public.forget_orders();
-- allow do-block: the number of the batch is computed, and the reviewer has seen the query
DO $$ BEGIN EXECUTE 'UPDATE public.orders SET amount = 1'; PERFORM public.forget(); END $$;
INSERT INTO public.letters VALUES (1, public.forget()::text);
INSERT INTO public.logs (id) VALUES (1);
INSERT INTO public.audited VALUES (1000001);
-- allow data-change: one customer who asked for it
DELETE FROM public.customers WHERE id = 500;
-- allow create-index: orders has few rows, and no other session writes them
CREATE INDEX orders_counted_idx ON public.orders (public.counted(id));
EXPLAIN ANALYZE SELECT public.forget();
