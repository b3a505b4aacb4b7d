CREATE TYPE public.size AS ENUM ('small', 'large');
