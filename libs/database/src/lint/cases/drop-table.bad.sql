DROP TABLE public.letters;
