CREATE TABLE public.drafts (id bigint PRIMARY KEY, mood public.mood, label text COLLATE "C");
CREATE FUNCTION public.twice(integer) RETURNS integer LANGUAGE sql AS 'SELECT $1 * 2';
WITH recent AS (SELECT 1 AS one) SELECT count(*) FROM recent, pg_class;
CREATE TEMPORARY TABLE scratch (id bigint);
