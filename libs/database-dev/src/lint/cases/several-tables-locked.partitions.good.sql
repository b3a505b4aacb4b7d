ALTER TABLE public.events ADD COLUMN note text;
