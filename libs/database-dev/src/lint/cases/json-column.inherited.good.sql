CREATE TABLE public.archived_1 PARTITION OF public.archived FOR VALUES FROM (1) TO (100);
CREATE TABLE public.files OF public.attachment;
