SET LOCAL lock_timeout = '1h';
SELECT set_config('lock_timeout', '0', true);
WITH s AS (SELECT pg_catalog.set_config('statement_timeout'::text, '0', false)) SELECT count(*) FROM s;
RESET lock_timeout;
RESET ALL;
SELECT public.hurry();
INSERT INTO public.letters VALUES (1, set_config('search_path', 'public', true));
-- allow do-block: the reviewer has seen what it executes
DO $$ BEGIN PERFORM set_config('ops.allow_drop', 'on', true); END $$;
