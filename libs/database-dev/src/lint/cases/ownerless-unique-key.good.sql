CREATE TABLE public.pages (id uuid DEFAULT uuidv7() PRIMARY KEY, token public.token UNIQUE, owner_id text NOT NULL, name text, code text,
  UNIQUE (name, owner_id), EXCLUDE USING btree (owner_id WITH =, code WITH =));
CREATE UNIQUE INDEX pages_name_idx ON public.pages (owner_id, lower(name)) WHERE name <> '';
ALTER TABLE public.pages ENABLE ROW LEVEL SECURITY;
CREATE POLICY pages_owner ON public.pages USING (owner_id = current_setting('app.user_id', true));
CREATE TABLE public.marks (id uuid DEFAULT gen_random_uuid() PRIMARY KEY, name text UNIQUE);
CREATE TABLE public.forms (id bigint PRIMARY KEY);
ALTER TABLE public.forms ENABLE ROW LEVEL SECURITY;
