CREATE TABLE public.drafts (id bigint PRIMARY KEY, size text CHECK (size IN ('small', 'large')));
