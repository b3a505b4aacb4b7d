CREATE POLICY secrets_owner ON public.secrets USING (owner_id = current_setting('app.user_id', true));
ALTER TABLE public.secrets ENABLE ROW LEVEL SECURITY;
