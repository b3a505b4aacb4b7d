CREATE DOMAIN public.payload AS json;
CREATE DOMAIN public.code AS varchar(3);
