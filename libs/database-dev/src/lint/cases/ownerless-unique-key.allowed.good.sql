-- allow add-unique: the table has few rows in every environment
-- allow ownerless-unique-key: the numbers of books are public in this product
ALTER TABLE public.books ADD CONSTRAINT books_number UNIQUE (id);
