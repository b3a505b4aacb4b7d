-- transaction: false
VACUUM FULL public.customers;
