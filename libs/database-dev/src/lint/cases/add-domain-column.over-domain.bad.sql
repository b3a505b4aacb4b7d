ALTER TABLE public.customers ADD COLUMN "Rank" public.rank NOT NULL DEFAULT 2;
