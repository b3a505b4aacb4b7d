ALTER TABLE public.orders ADD CONSTRAINT orders_id_key UNIQUE USING INDEX orders_id_key;
