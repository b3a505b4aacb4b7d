CREATE TABLE public.pages (id uuid DEFAULT uuidv7() PRIMARY KEY, team text NOT NULL, name text UNIQUE);
ALTER TABLE public.pages ENABLE ROW LEVEL SECURITY;
CREATE POLICY pages_team ON public.pages USING (EXISTS (SELECT FROM public.books WHERE books.owner_id = current_setting('app.user_id', true)));
