-- allow create-trigger: the clock of the server is the only one that all writers share
CREATE TRIGGER letters_touch BEFORE UPDATE ON public.letters FOR EACH ROW EXECUTE FUNCTION public.touch();
