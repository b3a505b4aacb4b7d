CREATE TABLE public.drafts (id bigint PRIMARY KEY, title text);
CREATE INDEX ON public.drafts (title);
