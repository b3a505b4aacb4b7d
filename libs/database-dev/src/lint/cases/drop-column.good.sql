-- phase: contract
-- completes: 20260101000000-replace
ALTER TABLE public.customers DROP COLUMN note;
