-- allow drop-colum: a slip of the pen must not pass for an exception
ALTER TABLE public.customers ADD COLUMN remark text;
