ALTER TABLE public.orders ADD CONSTRAINT orders_id_key PRIMARY KEY USING INDEX orders_id_key;
