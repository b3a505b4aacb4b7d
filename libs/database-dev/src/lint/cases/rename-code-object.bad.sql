ALTER VIEW public.open_orders RENAME TO orders_open;
ALTER MATERIALIZED VIEW public.order_totals RENAME TO totals;
ALTER FUNCTION public.touch() RENAME TO stamp;
ALTER TYPE public.mood RENAME TO humour;
ALTER DOMAIN public.positive RENAME TO above_zero;
ALTER SEQUENCE public.invoice_numbers RENAME TO bill_numbers;
ALTER TYPE public.price RENAME ATTRIBUTE currency TO unit;
ALTER TABLE public.customers RENAME CONSTRAINT customers_score_positive TO customers_score_check;
