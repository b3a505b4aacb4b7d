REINDEX INDEX public.orders_state_idx;
