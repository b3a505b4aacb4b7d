ALTER TABLE public.letters ADD COLUMN seal text;
-- allow constrained-domain: the domain has one table, which is small
-- allow scans-table: the domain has one table, which is small
ALTER DOMAIN public.score SET NOT NULL;
