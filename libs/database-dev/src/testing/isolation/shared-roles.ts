import { type Client, escapeIdentifier, escapeLiteral } from 'pg';

/** A role that every database of a test run shares, with everything that ALTER ROLE changes. */
export interface SharedRole {
  readonly name: string;
  /** `name=value`, for any database that the role connects to. */
  readonly settings: readonly string[];
  readonly password: string | null;
  /** The other attributes, as arguments of ALTER ROLE. */
  readonly options: string;
}

/** @param client a session of an administrator */
export async function readSharedRoles(client: Client, names: readonly string[]): Promise<SharedRole[]> {
  const { rows } = await client.query<SharedRole>(
    `SELECT rolname AS name, coalesce(setconfig, '{}') AS settings, rolpassword AS password,
            concat_ws(' ', CASE WHEN rolsuper THEN '' ELSE 'NO' END || 'SUPERUSER', CASE WHEN rolinherit THEN '' ELSE 'NO' END || 'INHERIT',
              CASE WHEN rolcreaterole THEN '' ELSE 'NO' END || 'CREATEROLE', CASE WHEN rolcreatedb THEN '' ELSE 'NO' END || 'CREATEDB',
              CASE WHEN rolcanlogin THEN '' ELSE 'NO' END || 'LOGIN', CASE WHEN rolreplication THEN '' ELSE 'NO' END || 'REPLICATION',
              CASE WHEN rolbypassrls THEN '' ELSE 'NO' END || 'BYPASSRLS', 'CONNECTION LIMIT ' || rolconnlimit,
              'VALID UNTIL ' || quote_literal(coalesce(rolvaliduntil, 'infinity'))) AS options
       FROM pg_authid LEFT JOIN pg_db_role_setting ON setrole = pg_authid.oid AND setdatabase = 0
      WHERE rolname = ANY ($1) ORDER BY rolname`,
    [names],
  );
  return rows;
}

/** Restores the roles: their changes would affect every database of the run. @returns descriptions of those that had changed */
export async function restoreSharedRoles(client: Client, roles: readonly SharedRole[]): Promise<string[]> {
  const names = roles.map(({ name }) => name);
  const found = await readSharedRoles(client, names);
  const find = (wanted: string) => found.find(({ name }) => name === wanted);
  const changed = roles.filter((role) => JSON.stringify(role) !== JSON.stringify(find(role.name)));
  for (const role of changed) if (find(role.name)) await restoreRole(client, role);
  return changed.map(({ name }) => `attributes or settings of role ${name}`);
}

/** @param changed the shared roles and other objects of the server that had changed */
export function assertServerUnchanged(changed: readonly string[]): void {
  if (changed.length === 0) return;
  throw new Error(
    `test database: the test changed the server that all tests of the run share (${changed.join('; ')}), and tests in other ` +
      'databases may have seen the change; it is undone where possible. Expected a change of the database of the test only, ' +
      'such as ALTER ROLE … IN DATABASE, or SET in the session.\n' +
      '  const cluster = useScratchCluster(); // from @airlock/database/fixtures: a separate server for one test file\n' +
      '  A concurrent test of another file may be the cause: run this file alone to find out.',
  );
}

async function restoreRole(client: Client, { name, settings, password, options }: SharedRole): Promise<void> {
  const role = `ALTER ROLE ${escapeIdentifier(name)}`;
  const statements = settings.flatMap((setting) => {
    const [key = ''] = setting.split('=', 1);
    // FROM CURRENT quotes a list as the server does.
    const value = escapeLiteral(setting.slice(key.length + 1));
    return [`SELECT set_config(${escapeLiteral(key)}, ${value}, true)`, `${role} SET ${quoteName(key)} FROM CURRENT`];
  });
  await client.query(
    [
      'BEGIN',
      `${role} RESET ALL`,
      ...statements,
      `${role} ${options} PASSWORD ${password === null ? 'NULL' : escapeLiteral(password)}`,
      'COMMIT',
    ].join(';'),
  );
}

/** The name of a setting may have parts, as app.user_id has. */
function quoteName(name: string): string {
  return name.split('.').map(escapeIdentifier).join('.');
}
