CREATE TABLE public.receipts (id bigint PRIMARY KEY);
CREATE MATERIALIZED VIEW public.receipt_ids AS SELECT id FROM public.receipts;
CREATE INDEX receipt_ids_id_idx ON public.receipt_ids (id);
ALTER TABLE public.receipts RENAME TO invoices;
CREATE INDEX invoices_id_idx ON public.invoices (id);
CREATE TEMPORARY TABLE scratch (id bigint);
CREATE INDEX scratch_id_idx ON pg_temp.scratch (id);
