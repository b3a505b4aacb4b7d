-- phase: contract
-- completes: 20261201090000-read-less
REVOKE SELECT ON public.customers FROM PUBLIC;
