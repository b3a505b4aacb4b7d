INSERT INTO public.letters SELECT id, email FROM public.customers;
CREATE TABLE public.copied AS SELECT id, email FROM public.customers;
