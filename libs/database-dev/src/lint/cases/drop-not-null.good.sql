-- allow drop-not-null: every reader bears a missing address since release 12
ALTER TABLE public.customers ALTER COLUMN email DROP NOT NULL;
