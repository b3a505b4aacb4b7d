ALTER TABLE public.customers ADD COLUMN remark text;
ALTR TABLE public.customers;
