ALTER TYPE public.price DROP ATTRIBUTE note;
