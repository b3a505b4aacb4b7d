ALTER TABLE public.customers ADD CONSTRAINT customers_email_key UNIQUE (email);
