CREATE DOMAIN public.label AS text;
ALTER DOMAIN public.label SET NOT NULL;
ALTER DOMAIN public.label ADD CONSTRAINT label_filled CHECK (VALUE <> '') NOT VALID;
