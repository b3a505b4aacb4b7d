CREATE DOMAIN public.label AS text CHECK (VALUE <> '');
