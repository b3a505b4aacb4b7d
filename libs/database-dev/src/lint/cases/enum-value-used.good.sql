ALTER TYPE public.mood ADD VALUE 'calm' BEFORE 'happy';
