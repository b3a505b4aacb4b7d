CREATE TABLE public.drafts (id integer, part integer, CONSTRAINT drafts_pkey PRIMARY KEY (id, part));
