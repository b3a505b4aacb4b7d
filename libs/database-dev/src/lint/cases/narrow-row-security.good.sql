ALTER TABLE public.secrets ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY secrets_all ON public.secrets USING (true);
CREATE TABLE public.receipts (id bigint PRIMARY KEY);
ALTER TABLE public.receipts ENABLE ROW LEVEL SECURITY;
CREATE POLICY receipts_mine ON public.receipts AS RESTRICTIVE USING (id > 0);
