CREATE TABLE public.pages (id uuid DEFAULT uuidv7() PRIMARY KEY, owner_id text NOT NULL);
ALTER TABLE public.pages ENABLE ROW LEVEL SECURITY;
CREATE POLICY pages_owner ON public.pages USING (owner_id = current_setting('app.user_id', true));
ALTER TABLE public.pages ALTER COLUMN id DROP DEFAULT;
