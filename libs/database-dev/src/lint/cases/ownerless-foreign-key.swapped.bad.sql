CREATE TABLE public.names (name text, owner_id text, PRIMARY KEY (owner_id, name));
ALTER TABLE public.names ENABLE ROW LEVEL SECURITY;
CREATE POLICY names_owner ON public.names USING (owner_id = current_setting('app.user_id', true));
CREATE TABLE public.pages (id uuid DEFAULT uuidv7() PRIMARY KEY, owner_id text, name text, FOREIGN KEY (name, owner_id) REFERENCES public.names (owner_id, name));
CREATE INDEX pages_name_idx ON public.pages (name, owner_id);
ALTER TABLE public.pages ENABLE ROW LEVEL SECURITY;
CREATE POLICY pages_owner ON public.pages USING (owner_id = current_setting('app.user_id', true));
