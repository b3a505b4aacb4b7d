-- transaction: false
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS books_lower_idx ON public.books (lower(owner_id), id);
