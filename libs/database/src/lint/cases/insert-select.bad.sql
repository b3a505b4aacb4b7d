INSERT INTO public.letters SELECT id, email FROM public.customers;
