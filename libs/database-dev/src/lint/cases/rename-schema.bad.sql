ALTER SCHEMA archive RENAME TO history;
