ALTER TABLE public.customers ALTER COLUMN score SET NOT NULL;
