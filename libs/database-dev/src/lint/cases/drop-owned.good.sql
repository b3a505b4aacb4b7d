-- phase: contract
-- completes: 20260101000000-replace
DROP TABLE public.letters;
