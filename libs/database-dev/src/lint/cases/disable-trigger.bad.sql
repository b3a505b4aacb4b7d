ALTER TABLE public.orders DISABLE TRIGGER orders_touch;
