-- allow create-trigger: the clock of the server is the only one that all writers share
CREATE TRIGGER orders_touch_too BEFORE UPDATE ON public.orders FOR EACH ROW EXECUTE FUNCTION public.touch();
