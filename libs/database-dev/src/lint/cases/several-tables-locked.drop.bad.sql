-- phase: contract
-- completes: 20261201090000-drop-letters
DROP TABLE public.letters, public.tickets;
