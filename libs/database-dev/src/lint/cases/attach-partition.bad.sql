ALTER TABLE public.events ATTACH PARTITION public.events_2 FOR VALUES FROM (100) TO (200);
CREATE TABLE public.readings_1 (id bigint);
ALTER TABLE public.readings ATTACH PARTITION public.readings_1 FOR VALUES FROM (1) TO (100);
