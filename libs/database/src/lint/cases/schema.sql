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
  CONSTRAINT customers_score_positive CHECK (score > 0)
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
