-- transaction: false
CREATE INDEX CONCURRENTLY customers_email_idx ON public.customers (email);
