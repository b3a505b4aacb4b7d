ALTER TABLE public.customers ADD COLUMN remark text;
CREATE FUNCTION public.quiet() RETURNS void LANGUAGE sql SET search_path = '' AS 'SELECT';
