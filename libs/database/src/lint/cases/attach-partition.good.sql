CREATE TABLE public.events_3 (id bigint, at timestamptz);
ALTER TABLE public.events ATTACH PARTITION public.events_3 FOR VALUES FROM (100) TO (200);
