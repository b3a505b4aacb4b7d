CREATE TABLE public.copies AS SELECT 1 AS id, '{}'::json AS body, 'a'::varchar(3) AS code;
SELECT now()::timestamp AS at INTO public.moments;
