DROP POLICY letters_owner ON public.letters;
