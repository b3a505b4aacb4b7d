import type { Client } from 'pg';
import { SYSTEM_ROLE } from '../model/system-role.js';
import { MigrationRefusal } from '../model/migration-error.js';

interface TableFacts {
  readonly table: string;
  readonly name: string;
  readonly isTarget: boolean;
  /** Row-level security hides rows from the owner. */
  readonly isNarrowed: boolean;
  readonly isReadable: boolean;
  readonly isWritable: boolean;
}

/**
 * The role that sees every row of each table: the owner, or the system where a policy opens them to it.
 *
 * @throws MigrationRefusal naming each table with rows that neither sees
 */
export async function chooseRole(
  client: Client,
  context: { tables: readonly string[]; target: string },
): Promise<string | undefined> {
  const facts = await readTables(client, context);
  if (!facts.some(({ isNarrowed }) => isNarrowed)) return undefined;
  const hidden = facts.filter(
    ({ isTarget, isNarrowed, isReadable, isWritable }) => isNarrowed && !(isReadable && (isWritable || !isTarget)),
  );
  if (hidden.length === 0) return SYSTEM_ROLE;
  throw new MigrationRefusal(
    hidden
      .map(
        ({ table, name }) =>
          `${table}: row-level security hides rows from the owner and from ${SYSTEM_ROLE}; expected a policy for all rows\n` +
          `  In an expand before it: CREATE POLICY ${name}_system ON ${table} TO ${SYSTEM_ROLE} USING (true) WITH CHECK (true)`,
      )
      .join('\n'),
  );
}

async function readTables(
  client: Client,
  { tables, target }: { tables: readonly string[]; target: string },
): Promise<TableFacts[]> {
  const { rows } = await client.query<TableFacts>(
    `WITH policies AS (
       SELECT polrelid, polcmd, polpermissive, pg_get_expr(polqual, polrelid) AS reads,
              coalesce(pg_get_expr(polwithcheck, polrelid), pg_get_expr(polqual, polrelid)) AS writes
         FROM pg_policy WHERE polroles && ARRAY[0::oid, $2::regrole::oid]
     )
     SELECT c.oid::regclass::text AS table, c.relname AS name, c.oid = $3::regclass AS "isTarget",
            c.relrowsecurity AND (c.relforcerowsecurity OR NOT pg_has_role(current_user, c.relowner, 'USAGE')) AS "isNarrowed",
            coalesce(bool_or(p.polpermissive AND p.polcmd IN ('*', 'r') AND p.reads = 'true'), false)
              AND NOT coalesce(bool_or(NOT p.polpermissive), false) AS "isReadable",
            coalesce(bool_or(p.polpermissive AND p.polcmd IN ('*', 'w') AND p.reads = 'true' AND p.writes = 'true'), false)
              AS "isWritable"
       FROM unnest($1::text[]) AS t (name) JOIN pg_class c ON c.oid = t.name::regclass
       LEFT JOIN policies p ON p.polrelid = c.oid
      GROUP BY c.oid`,
    [tables, SYSTEM_ROLE, target],
  );
  return rows;
}

/** @throws MigrationRefusal for a database that an older version provisioned */
export async function assertMayBackfill(client: Client): Promise<void> {
  const { rows } = await client.query<{ may: boolean | null }>(
    `SELECT to_regprocedure('ops.replica_lag()') IS NOT NULL AND pg_has_role(session_user, $1, 'SET') AS may`,
    [SYSTEM_ROLE],
  );
  if (rows[0]?.may === true) return;
  throw new MigrationRefusal(
    `${String(client.database)}: was provisioned by an older version; expected ops.replica_lag() and a migrator that may become ${SYSTEM_ROLE}\n` +
      '  airlock db provision   # safe to repeat; needs DATABASE_ADMIN_URL',
  );
}
