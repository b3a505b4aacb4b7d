CREATE TABLE public.orders_next (id bigint PRIMARY KEY);
DROP TABLE public.orders_next;
ALTER TABLE public.orders RENAME TO orders_next;
CREATE INDEX orders_next_amount_idx ON public.orders_next (amount);
