ALTER TABLE public.customers ADD COLUMN remark text;
ALTER TABLE public.orders ADD COLUMN remark text;
