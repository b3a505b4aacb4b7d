import { describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { useTestDatabase, withTestDatabase } from '../fixture/use-test-database.js';

const database = useTestDatabase();

const refusal = (sql: string, objects: string) =>
  `test database: "${sql}" changes ${objects} of the server, which all tests of the run share; ` +
  `expected a change of the database ${database.name} only`;

const CHANGES: [string, string][] = [
  ['CREATE ROLE spec_role', 'the roles'],
  [`CREATE USER spec_role LOGIN PASSWORD 'q7Vd2mXc81LkPz0w'`, 'the roles'],
  ['CREATE GROUP spec_role', 'the roles'],
  ['DROP ROLE IF EXISTS spec_role', 'the roles'],
  ['ALTER ROLE CURRENT_USER CONNECTION LIMIT 5', 'the roles'],
  ['ALTER GROUP airlock_app ADD USER airlock_app', 'the roles'],
  ['ALTER ROLE airlock_app RENAME TO spec_role', 'the roles'],
  ['ALTER ROLE CURRENT_USER SET work_mem = 64', 'the roles'],
  ['ALTER ROLE CURRENT_USER IN DATABASE postgres SET work_mem = 64', 'the roles'],
  ['ALTER ROLE ALL RESET work_mem', 'the roles'],
  [`COMMENT ON ROLE airlock_app IS 'x'`, 'the roles'],
  [`SECURITY LABEL ON ROLE airlock_app IS 'x'`, 'the roles'],
  ['GRANT airlock_app TO airlock_migrator', 'the memberships of roles'],
  ['REVOKE airlock_app FROM airlock_migrator', 'the memberships of roles'],
  ['DROP OWNED BY airlock_app', 'the owners and grants'],
  ['REASSIGN OWNED BY airlock_app TO airlock_migrator', 'the owners and grants'],
  ['CREATE DATABASE spec_other', 'the databases'],
  ['DROP DATABASE IF EXISTS spec_other', 'the databases'],
  ['ALTER DATABASE postgres SET work_mem = 64', 'the databases'],
  ['ALTER DATABASE postgres CONNECTION LIMIT 5', 'the databases'],
  ['ALTER DATABASE postgres OWNER TO airlock_app', 'the databases'],
  ['ALTER DATABASE postgres RENAME TO spec_other', 'the databases'],
  ['ALTER DATABASE postgres REFRESH COLLATION VERSION', 'the databases'],
  ['GRANT CONNECT ON DATABASE postgres TO airlock_app', 'the databases'],
  [`COMMENT ON DATABASE postgres IS 'x'`, 'the databases'],
  [`SECURITY LABEL ON DATABASE postgres IS 'x'`, 'the databases'],
  [`CREATE TABLESPACE spec_space LOCATION '/tmp'`, 'the tablespaces'],
  ['DROP TABLESPACE IF EXISTS spec_space', 'the tablespaces'],
  ['ALTER TABLESPACE pg_default SET (seq_page_cost = 2)', 'the tablespaces'],
  ['ALTER TABLESPACE pg_default OWNER TO airlock_app', 'the tablespaces'],
  ['ALTER TABLESPACE pg_default RENAME TO spec_space', 'the tablespaces'],
  ['GRANT CREATE ON TABLESPACE pg_default TO airlock_app', 'the tablespaces'],
  [`COMMENT ON TABLESPACE pg_default IS 'x'`, 'the tablespaces'],
  ['ALTER SYSTEM SET work_mem = 64', 'the settings'],
  ['GRANT SET ON PARAMETER log_statement TO airlock_app', 'the settings'],
  [`CREATE SUBSCRIPTION spec CONNECTION 'dbname=x' PUBLICATION p WITH (connect = false)`, 'the subscriptions'],
  [`SELECT pg_create_physical_replication_slot('spec')`, 'the replication slots and origins'],
  [`SELECT pg_catalog.pg_drop_replication_slot('spec')`, 'the replication slots and origins'],
  [`SELECT pg_replication_origin_create('spec')`, 'the replication slots and origins'],
  [`UPDATE pg_authid SET rolcreaterole = true WHERE rolname = 'airlock_app'`, 'pg_authid, a catalogue'],
  ['DELETE FROM pg_catalog.pg_shdescription', 'pg_shdescription, a catalogue'],
];
const HIDDEN = [
  '/* x */ create\n role spec_role',
  'SELECT 1; CREATE ROLE spec_role',
  'BEGIN; CREATE ROLE spec_role; COMMIT',
  'DO $$ BEGIN CREATE ROLE spec_role; END $$',
  'DO $$ BEGIN IF true THEN FOR i IN 1..2 LOOP CREATE ROLE spec_role; END LOOP; END IF; END $$',
  `DO $$ BEGIN EXECUTE 'CREATE ROLE spec_role'; END $$`,
  `DO $$ BEGIN EXECUTE ('SELECT 1; CREATE ROLE spec_role'); END $$`,
  `DO $$ BEGIN PERFORM 1; EXECUTE $x$CREATE ROLE spec_role$x$; END $$`,
  'CREATE FUNCTION spec() RETURNS void LANGUAGE plpgsql AS $$ BEGIN CREATE ROLE spec_role; END $$',
  'CREATE PROCEDURE spec() LANGUAGE sql AS $$ CREATE ROLE spec_role $$',
];
const OWN = [
  'ALTER DATABASE $own SET work_mem = 64',
  'ALTER DATABASE $own RESET work_mem',
  'ALTER DATABASE $own CONNECTION LIMIT 5',
  'GRANT CONNECT ON DATABASE $own TO PUBLIC',
  `COMMENT ON DATABASE $own IS 'x'`,
  'ALTER ROLE CURRENT_USER IN DATABASE $own SET work_mem = 64',
  'GRANT SELECT ON parcels TO PUBLIC',
  `COMMENT ON TABLE parcels IS 'CREATE ROLE spec_role'`,
  `DO $$ BEGIN PERFORM 'CREATE ROLE spec_role'; END $$`,
  'SELECT rolname FROM pg_roles',
];

const countRoles = () => database.query(`SELECT FROM pg_roles WHERE rolname = 'spec_role'`);

describe('a statement that changes the server', () => {
  it.each(CHANGES)('is refused for the application and for the administrator: %s', async (sql, objects) => {
    await expect(database.lease().query(sql)).rejects.toThrow(refusal(sql, objects));
    await expect(database.query(sql)).rejects.toThrow(refusal(sql, objects));
  });

  it.each(HIDDEN)('is refused inside of another text: %s', async (sql) => {
    const found = /^test database: "[^]*" changes the roles of the server/;
    await expect(database.lease().query(sql)).rejects.toThrow(found);
    await expect(database.query(sql)).rejects.toThrow(found);
    expect(await countRoles()).toEqual([]);
  });

  it('is refused in every form of a query', async () => {
    const text = 'CREATE ROLE spec_role';
    const admin = await database.admin();
    for (const client of [database.lease(), admin]) {
      await expect(client.query({ text })).rejects.toThrow(refusal(text, 'the roles'));
      const error = await new Promise((resolve) => void client.query(text, resolve));
      expect(String(error)).toContain(refusal(text, 'the roles'));
    }
    const query = Object.assign(new pg.Query(text), { callback: () => undefined });
    await expect(Promise.resolve(admin.query(query as unknown as pg.Submittable))).rejects.toThrow('the roles');
    expect(await countRoles()).toEqual([]);
  });

  it('is refused with the way to do it', async () => {
    await expect(database.query('ALTER ROLE airlock_app SET work_mem = 64')).rejects.toThrow(
      'only, such as ALTER ROLE … IN DATABASE, or SET in the session\n' +
        '  const cluster = useScratchCluster(); // from @airlock/database/fixtures: a separate server for one test file',
    );
  });

  it.each(OWN)('does not include a change of the database of the test: %s', async (sql) => {
    await withTestDatabase((own) => own.query(sql.replace('$own', own.name)));
  });
});
