CREATE TABLE public.items (id bigint PRIMARY KEY, customer_id bigint REFERENCES public.customers (id));
