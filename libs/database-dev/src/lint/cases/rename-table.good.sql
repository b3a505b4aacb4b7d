CREATE VIEW public.purchases AS SELECT * FROM public.orders;
