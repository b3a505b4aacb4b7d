-- phase: contract
-- completes: 20260101000000-replace
DROP VIEW public.open_orders;
