ALTER TABLE public.orders ADD CONSTRAINT orders_state_known CHECK (state <> '') NOT VALID;
-- allow several-alters: the case is about the validation, not about this
ALTER TABLE public.orders VALIDATE CONSTRAINT orders_state_known;
