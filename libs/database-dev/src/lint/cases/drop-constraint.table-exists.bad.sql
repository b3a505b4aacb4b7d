CREATE TABLE IF NOT EXISTS public.orders (id bigint PRIMARY KEY);
ALTER TABLE public.orders ADD CONSTRAINT orders_id_amount_key UNIQUE (id, amount), DROP CONSTRAINT orders_amount_positive, DISABLE TRIGGER ALL;
