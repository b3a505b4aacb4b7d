import type { Environment } from '@airlock/config';

/** What pg's clients have in common; a statement and its rows. */
export interface Queryable {
  query<T extends object>(sql: string, values?: unknown[]): Promise<{ rows: T[] }>;
}

/** What a database says about itself. Only provisioning writes it. */
export interface Stamp {
  readonly environment: Environment;
  readonly systemIdentifier: string;
  readonly databaseOid: number;
  readonly databaseName: string;
  readonly createdBy: string;
  readonly createdAt: Date;
}

/** Where a session really is, in the server's words. */
export interface Location {
  readonly systemIdentifier: string;
  readonly databaseOid: number;
  readonly databaseName: string;
}

/** `undefined` where nothing was ever provisioned. @throws when there is not exactly one row: such a stamp says nothing */
export async function readStamp(client: Queryable): Promise<Stamp | undefined> {
  const { rows: found } = await client.query<{ there: boolean }>(
    `SELECT pg_catalog.to_regclass('ops.environment') IS NOT NULL AS there`,
  );
  if (!found[0]?.there) return undefined;
  const { rows } = await client.query<Stamp>(STAMP);
  if (rows.length !== 1) {
    throw new Error(
      `ops.environment: has ${rows.length} rows; expected exactly one, written by \`airlock db provision\``,
    );
  }
  return rows[0];
}

export async function readLocation(client: Queryable): Promise<Location> {
  const { rows } = await client.query<Location>(LOCATION);
  return rows[0]!;
}

/** Which of the three bindings do not hold: a renamed, cloned or restored database carries a stamp that is not its own. */
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
  FROM ops.environment`;

const LOCATION = `
  SELECT c.system_identifier::pg_catalog.text AS "systemIdentifier",
         d.oid::pg_catalog.int8::pg_catalog.float8 AS "databaseOid",
         d.datname::pg_catalog.text AS "databaseName"
  FROM pg_catalog.pg_database d, pg_catalog.pg_control_system() c
  WHERE d.datname = pg_catalog.current_database()`;
