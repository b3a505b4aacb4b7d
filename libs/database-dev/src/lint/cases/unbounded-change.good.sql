CREATE TABLE public.drafts (id bigint PRIMARY KEY, title text);
INSERT INTO public.drafts VALUES (1, 'first');
UPDATE public.drafts SET title = 'one';
