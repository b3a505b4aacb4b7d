ALTER TABLE public.customers SET LOGGED;
