CREATE SCHEMA s
  CREATE TABLE s.t (id int PRIMARY KEY, j json, ts timestamp, c varchar(3))
  CREATE TABLE bare (id serial PRIMARY KEY)
  CREATE INDEX ON bare (id)
  GRANT SELECT ON s.t TO PUBLIC;
