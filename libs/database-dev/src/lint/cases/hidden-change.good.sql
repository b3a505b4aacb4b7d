INSERT INTO public.letters VALUES (1, 'user_ada');
INSERT INTO public.events VALUES (1, now());
SELECT count(*) FROM public.customers;
