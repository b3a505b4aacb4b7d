ALTER TABLE public.customers ADD COLUMN second_email text;
