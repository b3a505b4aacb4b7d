ALTER TABLE public.customers ADD COLUMN badge public.badge DEFAULT NULL, ADD COLUMN badges public.badge[], ADD COLUMN origin public.origin;
