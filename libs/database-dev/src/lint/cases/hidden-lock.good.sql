SELECT count(*) FROM public.customers;
ALTER TABLE public.events ADD COLUMN remark text;
