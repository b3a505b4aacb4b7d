ALTER TABLE public.secrets ENABLE ROW LEVEL SECURITY;
CREATE POLICY letters_mine ON public.letters AS RESTRICTIVE USING (owner_id = 'me');
