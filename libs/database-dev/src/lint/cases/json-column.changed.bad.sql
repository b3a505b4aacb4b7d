-- allow change-column-type: the table is empty, and no release uses the column
ALTER TABLE public.games ALTER COLUMN score TYPE json USING NULL;
