ALTER TABLE public.customers ALTER COLUMN score SET NOT NULL;
-- allow several-alters: each is another case
ALTER TABLE public.customers ALTER COLUMN "Unproved" SET NOT NULL;
-- allow several-alters: each is another case
ALTER TABLE public.customers ALTER COLUMN "Later" SET NOT NULL;
