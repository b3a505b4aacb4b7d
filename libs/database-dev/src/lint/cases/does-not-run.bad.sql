ALTER TABLE public.customers ADD COLUMN email text;
-- allow add-check: the table is small and the checked column has been filled
ALTER TABLE public.orders ADD CONSTRAINT orders_nope CHECK (nope > 1);
-- allow create-trigger: the writers of this table share no code
CREATE TRIGGER letters_gone BEFORE UPDATE ON public.letters FOR EACH ROW EXECUTE FUNCTION public.gone();
-- allow add-required-column: the table is said to be empty everywhere
ALTER TABLE public.customers ADD COLUMN country text NOT NULL;
-- allow concurrently-in-transaction: the reason does not matter, PostgreSQL refuses
CREATE INDEX CONCURRENTLY IF NOT EXISTS customers_note_idx ON public.customers (note);
-- allow does-not-run: the reason does not matter, it does not run
SELECT 1 / 0;
-- allow unqualified-name: the search path is said to find it
DROP TABLE nowhere;
INSERT INTO public.children VALUES (1, 999999);
