ALTER DOMAIN public.origin SET DEFAULT md5(random()::text);
ALTER TABLE public.customers ADD COLUMN origin public.origin;
