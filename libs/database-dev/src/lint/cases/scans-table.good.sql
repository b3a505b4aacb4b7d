ALTER TABLE public.orders VALIDATE CONSTRAINT orders_amount_positive;
