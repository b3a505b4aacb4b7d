ALTER TABLE public.customers ADD COLUMN extra json;
