CREATE TABLE IF NOT EXISTS public.receipts (id bigint PRIMARY KEY, amount integer);
CREATE INDEX receipts_amount_idx ON public.receipts (amount);
