CREATE TABLE public.drafts (id bigserial PRIMARY KEY);
