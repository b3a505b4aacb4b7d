-- transaction: false
CLUSTER public.customers USING customers_pkey;
