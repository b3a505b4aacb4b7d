ALTER TABLE public.customers ADD CONSTRAINT customers_score_not_null NOT NULL score NOT VALID;
