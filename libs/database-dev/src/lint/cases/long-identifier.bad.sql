ALTER TABLE public.customers ADD COLUMN the_number_of_times_that_this_customer_wrote_to_us_in_the_last_year integer;
CREATE TABLE public."Größe der Sendung ""ohne"" Verpackung, in Zentimetern gemessen, gerundet" (id bigint PRIMARY KEY);
