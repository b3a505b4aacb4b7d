CREATE TABLE public.drafts (id uuid DEFAULT uuidv7() PRIMARY KEY);
