ALTER ROLE reporter RENAME TO reader;
