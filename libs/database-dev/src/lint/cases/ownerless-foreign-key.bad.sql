CREATE TABLE public.pages (id uuid DEFAULT uuidv7() PRIMARY KEY, owner_id text NOT NULL, book_id bigint REFERENCES public.books (id), before uuid REFERENCES public.pages (id) ON DELETE CASCADE);
CREATE INDEX pages_book_id_idx ON public.pages (book_id);
CREATE INDEX pages_before_idx ON public.pages (before);
ALTER TABLE public.pages ENABLE ROW LEVEL SECURITY;
CREATE POLICY pages_owner ON public.pages USING (owner_id = current_setting('app.user_id', true));
