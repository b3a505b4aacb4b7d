CREATE TABLE public.pages (id bigint PRIMARY KEY, owner_id text NOT NULL, name text UNIQUE, code text, CONSTRAINT pages_code UNIQUE (code) INCLUDE (owner_id));
ALTER TABLE public.pages ENABLE ROW LEVEL SECURITY;
CREATE POLICY pages_owner ON public.pages USING (owner_id = current_setting('app.user_id', true));
