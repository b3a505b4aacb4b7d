ALTER TABLE public.customers ADD COLUMN seen_at timestamptz DEFAULT now();
