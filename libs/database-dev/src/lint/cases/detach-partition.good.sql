-- transaction: false
ALTER TABLE public.events DETACH PARTITION public.events_1 CONCURRENTLY;
