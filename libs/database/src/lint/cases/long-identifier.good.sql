ALTER TABLE public.customers ADD COLUMN letters_last_year integer;
