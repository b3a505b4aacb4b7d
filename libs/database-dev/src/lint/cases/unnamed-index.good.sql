CREATE TABLE public.drafts (id bigint PRIMARY KEY, title text);
CREATE INDEX drafts_title_idx ON public.drafts (title);
