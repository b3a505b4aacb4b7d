-- We allow NULL here: only a comment with the name of a rule after the word is an exception.
-- allow drop-not-null: the release of June reads NULL as an empty text
ALTER TABLE public.customers ALTER COLUMN email DROP NOT NULL;
