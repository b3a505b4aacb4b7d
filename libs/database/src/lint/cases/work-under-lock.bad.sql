ALTER TABLE public.customers ADD COLUMN remark text;
ALTER TABLE public.orders VALIDATE CONSTRAINT orders_amount_positive;
