CREATE UNLOGGED TABLE public.drafts (id bigint PRIMARY KEY);
