CREATE SCHEMA s
  CREATE TABLE t (id bigint PRIMARY KEY, j jsonb, ts timestamptz, c text)
  CREATE INDEX t_j_idx ON t (j)
  CREATE VIEW v AS SELECT id FROM s.t;
