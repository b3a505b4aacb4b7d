ALTER TABLE public.customers ADD COLUMN a text;
ALTER TABLE public.customers ADD COLUMN b text;
