-- allow truncate: both hold nothing but what a job computes again
TRUNCATE public.letters, public.tickets;
