ALTER TABLE public.customers SET TABLESPACE fast;
