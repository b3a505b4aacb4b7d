CREATE DOMAIN public.label AS text;
