-- transaction: false
CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_narrow_idx ON public.orders (state, placed_at) INCLUDE (amount, customer_id);
