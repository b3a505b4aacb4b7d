UPDATE public.customers SET note = '';
