-- phase: contract
-- completes: 20260101000000-replace
DROP MATERIALIZED VIEW public.order_totals;
DROP VIEW public.open_orders;
