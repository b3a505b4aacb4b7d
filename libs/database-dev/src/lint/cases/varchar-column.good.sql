CREATE TABLE public.drafts (id bigint PRIMARY KEY, title text CHECK (char_length(title) <= 80), name character varying NOT NULL DEFAULT '');
