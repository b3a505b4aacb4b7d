CREATE DOMAIN public.label AS text DEFAULT '' NULL;
