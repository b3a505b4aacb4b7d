-- allow constrained-domain: the domain has one table, which is small
ALTER DOMAIN public.score ADD CONSTRAINT score_small CHECK (VALUE < 1000);
-- allow constrained-domain: the constraint was added before this rule existed
ALTER DOMAIN public.percent VALIDATE CONSTRAINT percent_whole;
