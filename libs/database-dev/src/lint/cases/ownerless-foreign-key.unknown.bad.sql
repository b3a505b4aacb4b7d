CREATE TABLE public.pages (id uuid DEFAULT uuidv7() PRIMARY KEY, team text NOT NULL, book_id bigint REFERENCES public.books (id));
CREATE INDEX pages_book_id_idx ON public.pages (book_id);
ALTER TABLE public.pages ENABLE ROW LEVEL SECURITY;
CREATE POLICY pages_team ON public.pages USING (team = current_setting('app.team', true));
