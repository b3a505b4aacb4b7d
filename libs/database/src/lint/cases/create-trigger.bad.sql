CREATE TRIGGER letters_touch BEFORE UPDATE ON public.letters FOR EACH ROW EXECUTE FUNCTION public.touch();
