CREATE FOREIGN TABLE public.remote (id serial, body json, code varchar(3)) SERVER elsewhere;
