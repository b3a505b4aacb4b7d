CREATE TABLE public.pages (id uuid DEFAULT uuidv7() PRIMARY KEY, account text NOT NULL, book_id bigint, topic_id bigint REFERENCES public.topics (id), customer_id bigint REFERENCES public.customers (id),
  FOREIGN KEY (account, book_id) REFERENCES public.books (owner_id, id) ON DELETE CASCADE);
CREATE INDEX pages_book_id_idx ON public.pages (account, book_id);
CREATE INDEX pages_topic_id_idx ON public.pages (topic_id);
CREATE INDEX pages_customer_id_idx ON public.pages (customer_id);
ALTER TABLE public.pages ENABLE ROW LEVEL SECURITY;
CREATE POLICY pages_owner ON public.pages USING (account = current_setting('app.user_id', true));
