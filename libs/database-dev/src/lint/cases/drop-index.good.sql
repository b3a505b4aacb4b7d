-- transaction: false
DROP INDEX CONCURRENTLY IF EXISTS public.orders_state_idx;
