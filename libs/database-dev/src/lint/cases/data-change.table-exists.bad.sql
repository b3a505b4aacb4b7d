CREATE TABLE IF NOT EXISTS public.orders (id bigint PRIMARY KEY);
INSERT INTO public.orders (id, amount) SELECT 1000 + id, score FROM public.customers;
UPDATE public.orders SET amount = 1;
UPDATE public.orders SET amount = 1 WHERE true;
DELETE FROM public.orders WHERE id > 1000;
