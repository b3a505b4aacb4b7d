UPDATE public.customers SET note = '';
WITH gone AS (DELETE FROM public.customers RETURNING id) SELECT count(*) FROM gone;
