DELETE FROM public.customers WHERE id > 400;
