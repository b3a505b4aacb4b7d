ALTER TABLE public.customers ADD COLUMN a text, ADD COLUMN b text;
