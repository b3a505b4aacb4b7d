-- allow drop-column: nothing is dropped here at all, and so this must go
ALTER TABLE public.customers ADD COLUMN remark text;
