import type { Environment } from '@airlock/config';
import type { Queryable } from './queryable.js';

/**
 * Caller, configuration and database name different environments, or the stamp is not trustworthy. Nothing was written.
 */
export class IdentityError extends Error {
  override readonly name = 'IdentityError';
  readonly exitCode = 3;
}

/** The identity that a database states about itself. Only provisioning writes it. */
export interface Stamp {
  readonly environment: Environment;
  readonly systemIdentifier: string;
  readonly databaseOid: number;
  readonly databaseName: string;
  readonly createdBy: string;
  readonly createdAt: Date;
}

/** The actual place of a session, as the server reports it. */
export interface Location {
  readonly systemIdentifier: string;
  readonly databaseOid: number;
  readonly databaseName: string;
}

/**
 * `undefined` for a database that was never provisioned.
 *
 * @throws IdentityError unless the stamp is a plain table of exactly one row: a view, for example, could return any
 * environment
 */
export async function readStamp(client: Queryable): Promise<Stamp | undefined> {
  const flaws = await readStampFlaws(client);
  if (flaws === undefined) return undefined;
  if (flaws.length > 0) {
    throw new IdentityError(
      `ops.environment: ${flaws.join(', ')}; expected the plain table that provisioning creates\n` +
        '  Find out who changed it; never repair a stamp by hand.',
    );
  }
  const { rows } = await client.query<Stamp>(STAMP);
  if (rows.length !== 1) {
    throw new IdentityError(
      `ops.environment: has ${rows.length} rows; expected exactly one, written by \`airlock db provision\``,
    );
  }
  return rows[0];
}

/** Asks only the catalogue, so that no code of the relation itself runs. `undefined`: there is no relation. */
export async function readStampFlaws(client: Queryable): Promise<string[] | undefined> {
  const { rows } = await client.query<{ flaws: string[] }>(STAMP_FLAWS);
  return rows[0]?.flaws;
}

export async function readLocation(client: Queryable): Promise<Location> {
  const { rows } = await client.query<Location>(LOCATION);
  return rows[0]!;
}

/** The bindings that do not hold: a renamed, cloned or restored database contains the stamp of another database. */
export function findBrokenBindings(stamp: Stamp, here: Location): string[] {
  return [
    stamp.systemIdentifier !== here.systemIdentifier &&
      `stamped on server ${stamp.systemIdentifier}, but this server is ${here.systemIdentifier}`,
    stamp.databaseOid !== here.databaseOid &&
      `stamped as database number ${stamp.databaseOid}, but this one is ${here.databaseOid}`,
    stamp.databaseName !== here.databaseName &&
      `stamped as "${stamp.databaseName}", but this one is "${here.databaseName}"`,
  ].filter((line) => line !== false);
}

const STAMP = `
  SELECT environment, system_identifier AS "systemIdentifier", database_oid::pg_catalog.int8::pg_catalog.float8 AS "databaseOid",
         database_name AS "databaseName", created_by AS "createdBy", created_at AS "createdAt"
  FROM ONLY ops.environment`;

const STAMP_FLAWS = `
  SELECT ARRAY(
    SELECT 'is a ' || CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table'
                                     WHEN 'p' THEN 'partitioned table' ELSE 'relation of kind ' || c.relkind::text END
     WHERE c.relkind <> 'r'
    UNION ALL SELECT 'is not permanent' WHERE c.relpersistence <> 'p'
    UNION ALL SELECT 'is a partition' WHERE c.relispartition
    UNION ALL SELECT 'has row-level security' WHERE c.relrowsecurity OR c.relforcerowsecurity
    UNION ALL SELECT 'has the rule ' || rulename::text FROM pg_catalog.pg_rewrite WHERE ev_class = c.oid AND c.relkind = 'r'
    UNION ALL SELECT 'has the trigger ' || tgname::text FROM pg_catalog.pg_trigger WHERE tgrelid = c.oid AND NOT tgisinternal
    UNION ALL SELECT 'takes part in inheritance' WHERE EXISTS (
      SELECT FROM pg_catalog.pg_inherits WHERE inhparent = c.oid OR inhrelid = c.oid)
    UNION ALL SELECT 'has a column of the type ' || pg_catalog.format_type(a.atttypid, a.atttypmod)
      FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
     WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
       AND (t.oid >= 16384 OR a.attgenerated <> '')
  ) AS flaws
  FROM pg_catalog.pg_class c WHERE c.oid = pg_catalog.to_regclass('ops.environment')`;

const LOCATION = `
  SELECT c.system_identifier::pg_catalog.text AS "systemIdentifier",
         d.oid::pg_catalog.int8::pg_catalog.float8 AS "databaseOid",
         d.datname::pg_catalog.text AS "databaseName"
  FROM pg_catalog.pg_database d, pg_catalog.pg_control_system() c
  WHERE d.datname = pg_catalog.current_database()`;
