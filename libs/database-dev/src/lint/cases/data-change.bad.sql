DELETE FROM public.customers WHERE id > 400;
MERGE INTO public.letters USING public.customers ON letters.id = customers.id WHEN MATCHED THEN DELETE;
