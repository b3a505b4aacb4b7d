CREATE TABLE public.drafts (id bigint PRIMARY KEY);
