ALTER TYPE public.mood ADD VALUE 'calm' BEFORE 'happy';
ALTER TABLE public.customers ALTER COLUMN mood SET DEFAULT 'calm';
