import { JOBS_FUNCTIONS } from './jobs-functions.js';
import { JOBS_TABLES } from './jobs-tables.js';
import type { MigrationStatement } from './migration.js';

/** The application role has another name in each environment: it and the system's are those that get rows of `public`. */
const GRANTS = `DO $grants$
DECLARE
  app text;
BEGIN
  FOR app IN
    SELECT DISTINCT a.grantee::pg_catalog.regrole::text
      FROM pg_catalog.pg_default_acl d, pg_catalog.aclexplode(d.defaclacl) a
     WHERE d.defaclnamespace = 'public'::pg_catalog.regnamespace AND d.defaclobjtype = 'r'
       AND a.privilege_type = 'INSERT' AND a.grantee NOT IN (0, d.defaclrole)
  LOOP
    EXECUTE 'GRANT USAGE ON SCHEMA jobs TO ' || app;
    EXECUTE 'GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA jobs TO ' || app;
    EXECUTE 'GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA jobs TO ' || app;
    EXECUTE 'ALTER DEFAULT PRIVILEGES IN SCHEMA jobs GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO ' || app;
    EXECUTE 'ALTER DEFAULT PRIVILEGES IN SCHEMA jobs GRANT EXECUTE ON FUNCTIONS TO ' || app;
  END LOOP;
END $grants$`;

/** The rule that the linter finds broken, by the beginning of the statement. */
const OWN_WAYS: Readonly<Record<string, string>> = {
  'CREATE TYPE jobs.job_state': 'create-enum',
  'CREATE TABLE jobs.version': 'small-primary-key',
  'CREATE TABLE jobs.queue (': 'unindexed-foreign-key',
  'CREATE TABLE jobs.subscription': 'unindexed-foreign-key',
  'CREATE TABLE jobs.job (': 'timestamp-column',
  'CREATE TABLE jobs.job_common': 'timestamp-column',
  'ALTER TABLE jobs.job ADD PRIMARY KEY': 'adding-serial-primary-key-field',
  'ALTER TABLE jobs.job_common ADD PRIMARY KEY': 'adding-serial-primary-key-field',
  'ALTER TABLE jobs.job_common ADD CONSTRAINT dlq_fkey': 'unindexed-foreign-key',
  'CREATE INDEX job_common_i10': 'wide-index',
  'CREATE INDEX job_common_i11': 'wide-index',
  'CREATE INDEX job_common_i14': 'wide-index',
};

/**
 * The statements of the migration that creates schema `jobs`: that of pg-boss 12.38, without the partitions that it adds
 * for its statistics each day. pg-boss itself never changes the schema, because no process has the right to.
 */
export const jobsSchema: readonly (string | MigrationStatement)[] = [
  ...[...JOBS_TABLES, ...JOBS_FUNCTIONS].map(allowOwnWays),
  { sql: GRANTS, allow: { 'do-block': 'the name of the application role differs between environments' } },
];

function allowOwnWays(sql: string): string | MigrationStatement {
  const [, rule] = Object.entries(OWN_WAYS).find(([start]) => sql.startsWith(start)) ?? [];
  return rule === undefined ? sql : { sql, allow: { [rule]: 'pg-boss relies on it, and the table is new and empty' } };
}
