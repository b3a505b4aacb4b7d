ALTER TABLE public.orders SET SCHEMA archive;
