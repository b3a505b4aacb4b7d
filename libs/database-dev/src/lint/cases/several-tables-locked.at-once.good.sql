-- allow drop-index: nothing has read the indexes of this table for a month
DROP INDEX public.orders_state_idx, public.orders_id_key;
