ALTER DOMAIN public.required DROP NOT NULL;
