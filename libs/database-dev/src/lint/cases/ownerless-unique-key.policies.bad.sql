CREATE TABLE public.calls (id uuid DEFAULT uuidv7() PRIMARY KEY, caller varchar, callee text, code text, UNIQUE (callee, code));
ALTER TABLE public.calls ENABLE ROW LEVEL SECURITY;
CREATE POLICY calls_both ON public.calls USING (caller = current_setting('app.user_id', true) OR callee = current_setting('app.user_id', true)) WITH CHECK (caller = current_setting('app.user_id', true));
CREATE TABLE public.plans (id uuid DEFAULT uuidv7() PRIMARY KEY, author text, editor text, code text, UNIQUE (author, code));
ALTER TABLE public.plans ENABLE ROW LEVEL SECURITY;
CREATE POLICY plans_both ON public.plans USING (author = current_setting('app.user_id', true) OR editor = current_setting('app.user_id', true));
