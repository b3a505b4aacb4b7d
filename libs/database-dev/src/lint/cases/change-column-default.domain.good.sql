ALTER DOMAIN public.origin SET DEFAULT 'web';
