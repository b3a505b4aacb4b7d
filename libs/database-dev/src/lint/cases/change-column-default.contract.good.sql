-- phase: contract
-- completes: 20261201090000-write-state
ALTER TABLE public.tickets ALTER COLUMN state DROP DEFAULT, ALTER COLUMN id SET GENERATED ALWAYS;
