DO $$ BEGIN EXECUTE 'DROP TABLE public.letters'; END $$;
