CREATE TABLE IF NOT EXISTS public.receipts (id bigint PRIMARY KEY, amount integer);
INSERT INTO public.receipts VALUES (1, 1);
UPDATE public.receipts SET amount = 2 WHERE id = 1;
