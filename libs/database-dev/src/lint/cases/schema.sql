-- What the cases of this folder find in place: tables with rows, and one of everything that can be dropped.
CREATE SCHEMA archive;
CREATE TYPE public.mood AS ENUM ('sad', 'happy');
CREATE TABLE public.customers (
  id bigint PRIMARY KEY,
  email text NOT NULL,
  note text,
  code varchar(20),
  score integer,
  doubled integer GENERATED ALWAYS AS (score * 2) STORED,
  mood public.mood,
  "Proved" integer DEFAULT 1,
  "Both" text DEFAULT 'a',
  "Unproved" integer DEFAULT 1,
  "Later" integer DEFAULT 1,
  CONSTRAINT customers_score_positive CHECK (score > 0),
  CONSTRAINT customers_proved CHECK ("Proved" IS NOT NULL),
  CONSTRAINT customers_both CHECK ("Both" IS NOT NULL AND "Both" <> ''),
  CONSTRAINT customers_unproved CHECK ("Unproved" > 0)
);
CREATE TABLE public.orders (
  id bigint NOT NULL,
  customer_id bigint,
  state text,
  amount integer,
  placed_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX orders_state_idx ON public.orders (state);
CREATE UNIQUE INDEX orders_id_key ON public.orders (id);
CREATE INDEX orders_customer_id_idx ON public.orders (customer_id);
CREATE TABLE public.events (id bigint, at timestamptz) PARTITION BY RANGE (id);
CREATE TABLE public.events_1 PARTITION OF public.events FOR VALUES FROM (1) TO (100);
CREATE TABLE public.events_2 (id bigint NOT NULL, at timestamptz);
CREATE VIEW public.open_orders AS SELECT id FROM public.orders WHERE state = 'open';
CREATE MATERIALIZED VIEW public.order_totals AS SELECT customer_id, sum(amount) AS total FROM public.orders GROUP BY 1;
CREATE FUNCTION public.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER orders_touch BEFORE UPDATE ON public.orders FOR EACH ROW EXECUTE FUNCTION public.touch();
CREATE TABLE public.letters (id bigint PRIMARY KEY, owner_id text NOT NULL);
ALTER TABLE public.letters ENABLE ROW LEVEL SECURITY;
CREATE POLICY letters_owner ON public.letters USING (owner_id = current_setting('app.user_id', true));
INSERT INTO public.customers (id, email, note, code, score, mood) SELECT n, n || '@example.com', NULL, 'c' || n, n, 'sad' FROM generate_series(1, 500) n;
INSERT INTO public.orders SELECT n, 1 + n % 500, 'open', n FROM generate_series(1, 500) n;
ALTER TABLE public.orders ADD CONSTRAINT orders_amount_positive CHECK (amount > 0) NOT VALID;
ALTER TABLE public.customers ADD CONSTRAINT customers_later CHECK ("Later" IS NOT NULL) NOT VALID;
CREATE TABLE public.events_4 (id bigint NOT NULL CHECK (id >= 200 AND id < 300), at timestamptz);
CREATE TABLE public.notes (id bigint PRIMARY KEY, customer_id bigint REFERENCES public.customers (id));
CREATE INDEX notes_customer_id_idx ON public.notes (customer_id);
CREATE TABLE public.children (id bigint PRIMARY KEY, customer_id bigint REFERENCES public.customers (id) DEFERRABLE INITIALLY DEFERRED);
CREATE INDEX children_customer_id_idx ON public.children (customer_id);
CREATE DOMAIN public.positive AS integer CHECK (VALUE > 0);
CREATE DOMAIN public.score AS integer;
CREATE TABLE public.games (id bigint PRIMARY KEY, score public.score);
CREATE FUNCTION public.tighten() RETURNS void LANGUAGE plpgsql AS 'BEGIN ALTER TABLE public.letters ADD COLUMN seal text; END';
CREATE FUNCTION public.forget() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN UPDATE public.customers SET note = ''; RETURN 1; END $$;
CREATE FUNCTION public.note_game(n bigint) RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.games VALUES (n, 1); RETURN n; END $$;
CREATE FUNCTION public.counted(n bigint) RETURNS bigint IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RETURN public.note_game(n); END $$;
CREATE FUNCTION public.hurry() RETURNS void LANGUAGE plpgsql AS $$ BEGIN SET LOCAL lock_timeout = 0; END $$;
CREATE PROCEDURE public.forget_orders() LANGUAGE sql AS $$ DELETE FROM public.orders $$;
CREATE TABLE public.logs (id bigint PRIMARY KEY, noted bigint DEFAULT public.forget());
CREATE FUNCTION public.audit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.games VALUES (NEW.id, 2); RETURN NEW; END $$;
CREATE TABLE public.audited (id bigint PRIMARY KEY);
CREATE TRIGGER audited_audit AFTER INSERT ON public.audited FOR EACH ROW EXECUTE FUNCTION public.audit();
CREATE TABLE public.replies (id bigint PRIMARY KEY, customer_id bigint REFERENCES public.customers (id) ON DELETE CASCADE);
CREATE INDEX replies_customer_id_idx ON public.replies (customer_id);
INSERT INTO public.replies SELECT n, 500 FROM generate_series(1, 20) n;
CREATE TABLE public.readings (id bigint) PARTITION BY RANGE (id);
CREATE TABLE public.readings_rest PARTITION OF public.readings DEFAULT;
