ALTER TABLE public.customers RENAME COLUMN note TO remark;
