ALTER TABLE public.customers ADD COLUMN device public.serial_number;
