-- transaction: false
REINDEX INDEX CONCURRENTLY public.orders_state_idx;
