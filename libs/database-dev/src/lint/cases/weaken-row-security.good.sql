ALTER POLICY letters_owner ON public.letters USING (owner_id = current_setting('app.user_id', true) AND id > 0);
