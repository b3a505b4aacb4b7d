TRUNCATE public.letters;
