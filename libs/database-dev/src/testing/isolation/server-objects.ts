import type { Client } from 'pg';

/** An object that belongs to the server and not to one of its databases. */
export interface ServerObject {
  readonly object: string;
  /** The statement that removes it. */
  readonly removal: string;
}

/** @param client a session of an administrator, in the database with the registry of clones */
export async function readServerObjects(client: Client): Promise<ServerObject[]> {
  return (await client.query<ServerObject>(OBJECTS_SQL)).rows;
}

export interface ServerDifference {
  readonly description: string;
  /** It could not be undone, so every later comparison finds it again. */
  readonly isLasting: boolean;
}

/** Removes the objects that are not known. A parallel test may remove one first. @returns every difference found */
export async function removeNewObjects(client: Client, known: readonly string[]): Promise<ServerDifference[]> {
  const found = await readServerObjects(client);
  const added = found.filter(({ object }) => !known.includes(object));
  const gone = known.filter((name) => !found.some(({ object }) => object === name));
  const failures = new Map<string, string>();
  for (const { object, removal } of added)
    await client.query(removal).catch((error: Error) => failures.set(object, error.message));
  const left = failures.size > 0 ? (await readServerObjects(client)).map(({ object }) => object) : [];
  return [
    ...added.map(({ object }) =>
      left.includes(object)
        ? { description: `${object}, not removed: ${failures.get(object)}`, isLasting: true }
        : { description: object, isLasting: false },
    ),
    ...gone.map((object) => ({ description: `${object}, which is gone`, isLasting: true })),
  ];
}

/**
 * Clones are in the registry before they exist and after they are dropped. Settings and attributes of the roles of a
 * run are compared by `restoreSharedRoles`. Memberships come before their roles. Replication slots are absent: the server of
 * a run has wal_level = minimal, which does not allow them.
 */
const OBJECTS_SQL = `
SELECT format('membership of %I in %I', member.rolname, role.rolname) AS object,
       format('REVOKE %I FROM %I GRANTED BY %I CASCADE', role.rolname, member.rolname, grantor.rolname) AS removal
  FROM pg_auth_members m JOIN pg_roles role ON role.oid = m.roleid JOIN pg_roles member ON member.oid = m.member
  JOIN pg_roles grantor ON grantor.oid = m.grantor
UNION ALL
SELECT format('database %I', datname), format('DROP DATABASE %I WITH (FORCE)', datname) FROM pg_database
 WHERE datname NOT IN (SELECT name FROM airlock_testing.clones)
UNION ALL
SELECT format('tablespace %I', spcname), format('DROP TABLESPACE %I', spcname) FROM pg_tablespace
UNION ALL
SELECT format('comment on role %I', rolname), format('COMMENT ON ROLE %I IS NULL', rolname)
  FROM pg_shdescription JOIN pg_authid ON pg_authid.oid = objoid WHERE classoid = 'pg_authid'::regclass AND rolname !~ '^pg_'
UNION ALL
SELECT format('setting %s of every role', split_part(setting, '=', 1)), format('ALTER ROLE ALL RESET %s', split_part(setting, '=', 1))
  FROM pg_db_role_setting, unnest(setconfig) AS setting WHERE setrole = 0 AND setdatabase = 0
UNION ALL
SELECT format('setting %s of the server', name), format('ALTER SYSTEM RESET %s', name)
  FROM pg_file_settings WHERE sourcefile LIKE '%postgresql.auto.conf'
UNION ALL
SELECT format('replication origin %I', roname), format('SELECT pg_replication_origin_drop(%L)', roname) FROM pg_replication_origin
UNION ALL
SELECT format('grant of %s on parameter %s to %s', privilege_type, parname, coalesce(quote_ident(rolname), 'PUBLIC')),
       format('REVOKE %s ON PARAMETER %s FROM %s', privilege_type, parname, coalesce(quote_ident(rolname), 'PUBLIC'))
  FROM pg_parameter_acl, aclexplode(paracl) AS acl LEFT JOIN pg_authid ON pg_authid.oid = acl.grantee
 WHERE acl.grantee <> 10
UNION ALL
SELECT format('role %I', rolname), format('DROP ROLE %I', rolname) FROM pg_roles WHERE rolname !~ '^pg_'`;
