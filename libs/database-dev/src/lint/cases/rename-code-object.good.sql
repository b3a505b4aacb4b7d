CREATE VIEW public.orders_open AS SELECT * FROM public.open_orders;
CREATE FUNCTION public.stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
ALTER FUNCTION public.stamp() RENAME TO stamp_row;
CREATE SEQUENCE public.bill_numbers;
ALTER SEQUENCE public.bill_numbers RENAME TO receipt_numbers;
CREATE TYPE public.cost AS (amount numeric);
ALTER TYPE public.cost RENAME TO fee;
ALTER INDEX public.orders_state_idx RENAME TO orders_by_state;
