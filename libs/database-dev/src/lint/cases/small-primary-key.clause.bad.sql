CREATE TABLE public.drafts (id integer, CONSTRAINT drafts_pkey PRIMARY KEY (id));
