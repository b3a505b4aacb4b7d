CREATE TRIGGER letters_touch BEFORE UPDATE ON public.letters FOR EACH ROW EXECUTE FUNCTION public.touch();
CREATE RULE letters_stay AS ON DELETE TO public.letters DO INSTEAD NOTHING;
