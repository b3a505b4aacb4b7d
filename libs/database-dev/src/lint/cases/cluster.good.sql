-- transaction: false
ANALYZE public.customers;
