LOCK TABLE public.letters, public.tickets;
