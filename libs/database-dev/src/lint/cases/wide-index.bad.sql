-- transaction: false
CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_wide_idx ON public.orders (state, amount, placed_at, customer_id);
