ALTER TABLE public.tickets ADD COLUMN priority integer NOT NULL DEFAULT 1;
ALTER TABLE public.tickets ALTER COLUMN priority DROP DEFAULT;
