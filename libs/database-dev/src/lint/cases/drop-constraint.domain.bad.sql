ALTER DOMAIN public.required DROP CONSTRAINT required_filled;
