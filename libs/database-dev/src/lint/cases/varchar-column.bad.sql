CREATE TABLE public.drafts (id bigint PRIMARY KEY, title varchar(80));
