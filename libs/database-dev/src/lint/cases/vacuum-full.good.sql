-- transaction: false
VACUUM public.customers;
