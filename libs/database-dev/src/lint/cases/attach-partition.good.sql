CREATE TABLE public.events_3 (id bigint, at timestamptz);
ALTER TABLE public.events ATTACH PARTITION public.events_3 FOR VALUES FROM (100) TO (200);
-- allow several-alters: each is another case
ALTER TABLE public.events ATTACH PARTITION public.events_4 FOR VALUES FROM (200) TO (300);
