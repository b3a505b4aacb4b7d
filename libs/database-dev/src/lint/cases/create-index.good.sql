-- transaction: false
CREATE INDEX CONCURRENTLY IF NOT EXISTS customers_email_idx ON public.customers (email);
