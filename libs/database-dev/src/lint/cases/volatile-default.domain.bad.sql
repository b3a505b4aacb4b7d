ALTER TABLE public.customers ADD COLUMN badge public.badge;
