ALTER TABLE public.customers ADD COLUMN remark text;
CREATE TABLE public.remarks (id bigint PRIMARY KEY);
