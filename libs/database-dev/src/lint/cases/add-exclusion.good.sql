CREATE TABLE public.slots (id bigint PRIMARY KEY, CONSTRAINT slots_alone EXCLUDE (id WITH =));
