CREATE TYPE public.parcel AS (body json, sent_at timestamp);
ALTER TYPE public.price ALTER ATTRIBUTE note TYPE json;
