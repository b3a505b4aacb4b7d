-- allow drop-index: nothing has read either index for a month
DROP INDEX public.orders_state_idx, public.notes_customer_id_idx;
