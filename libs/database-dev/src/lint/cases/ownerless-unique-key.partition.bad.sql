CREATE TABLE public.visits (owner_id text NOT NULL, code text, year integer, UNIQUE (code, year)) PARTITION BY LIST (year);
ALTER TABLE public.visits ENABLE ROW LEVEL SECURITY;
CREATE POLICY visits_owner ON public.visits USING (owner_id = current_setting('app.user_id', true));
CREATE TABLE public.visits_1 PARTITION OF public.visits FOR VALUES IN (1);
CREATE TABLE public.posts_1 PARTITION OF public.posts FOR VALUES IN (1);
CREATE UNIQUE INDEX posts_1_code_idx ON public.posts_1 (code);
CREATE TABLE public.posts_2 (LIKE public.posts, CONSTRAINT posts_2_code UNIQUE (code));
ALTER TABLE public.posts ATTACH PARTITION public.posts_2 FOR VALUES IN (2);
