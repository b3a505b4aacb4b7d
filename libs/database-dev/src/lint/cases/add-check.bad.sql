ALTER TABLE public.orders ADD CONSTRAINT orders_state_known CHECK (state <> '');
