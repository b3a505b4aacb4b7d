CREATE TABLE IF NOT EXISTS public.orders (id bigint PRIMARY KEY);
CREATE INDEX orders_again_idx ON public.orders (amount);
