CREATE TABLE public.items (id bigint PRIMARY KEY, customer_id bigint REFERENCES public.customers (id));
CREATE INDEX items_customer_id_idx ON public.items (customer_id);
