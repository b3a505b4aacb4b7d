ALTER TABLE public.customers ADD CONSTRAINT customers_score_not_null NOT NULL score NOT VALID;
-- allow several-alters: each is another case
ALTER TABLE public.customers ALTER COLUMN "Proved" SET NOT NULL;
-- allow several-alters: each is another case
ALTER TABLE public.customers ALTER COLUMN "Both" SET NOT NULL;
-- allow several-alters: each is another case
ALTER TABLE public.customers ALTER COLUMN email SET NOT NULL;
