INSERT INTO public.letters VALUES (1, 'user_ada');
