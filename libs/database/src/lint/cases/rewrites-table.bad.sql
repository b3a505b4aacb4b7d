ALTER TABLE public.customers ALTER COLUMN doubled SET EXPRESSION AS (score * 3);
