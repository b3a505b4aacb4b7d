ALTER TABLE public.orders ADD CONSTRAINT orders_pkey PRIMARY KEY (id);
