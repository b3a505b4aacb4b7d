CREATE TABLE public.drafts (id integer PRIMARY KEY);
