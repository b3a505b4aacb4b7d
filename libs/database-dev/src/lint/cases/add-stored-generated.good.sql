ALTER TABLE public.customers ADD COLUMN twice integer GENERATED ALWAYS AS (score * 2) VIRTUAL;
