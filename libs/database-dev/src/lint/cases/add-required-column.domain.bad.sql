ALTER TABLE public.customers ADD COLUMN country public.required;
