ALTER TABLE public.customers ADD COLUMN origin public.origin NOT NULL;
