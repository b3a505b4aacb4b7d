CREATE TABLE public.copies (LIKE public.archived);
