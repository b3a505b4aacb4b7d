ALTER TABLE public.books ADD CONSTRAINT books_id_key UNIQUE USING INDEX books_id_key;
