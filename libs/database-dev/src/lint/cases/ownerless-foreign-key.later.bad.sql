ALTER TABLE public.stamps ENABLE ROW LEVEL SECURITY;
CREATE POLICY stamps_owner ON public.stamps USING (owner_id = current_setting('app.user_id', true));
