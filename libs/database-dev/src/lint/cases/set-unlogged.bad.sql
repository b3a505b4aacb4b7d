ALTER TABLE public.customers SET UNLOGGED;
