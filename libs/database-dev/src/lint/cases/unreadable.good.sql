-- phase: expand
ALTER TABLE public.customers
  ADD COLUMN remark text;
