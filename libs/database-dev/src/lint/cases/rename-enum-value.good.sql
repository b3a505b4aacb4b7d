ALTER TYPE public.mood ADD VALUE 'blue' AFTER 'sad';
