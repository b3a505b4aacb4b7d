ALTER TABLE public.orders ADD CONSTRAINT orders_state_alone EXCLUDE (id WITH =);
