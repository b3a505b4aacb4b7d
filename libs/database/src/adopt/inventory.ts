import type { Client } from 'pg';
import { readStamp, type Stamp } from '../identity/stamp.js';
import { SYSTEM_ROLE } from '../model/system-role.js';
import { readObjects } from './catalogue-objects.js';
import { notOfExtension, OWN_SCHEMA } from './own-objects.js';

/** A table with its partitions. */
export interface FoundTable {
  readonly name: string;
  /** By the statistics of the server: -1 if it has none yet. */
  readonly rows: number;
  readonly bytes: number;
  readonly hasPrimaryKey: boolean;
  readonly isProtected: boolean;
  /** Columns that may name the user a row belongs to, the likeliest first. */
  readonly owners: readonly string[];
  /** Foreign keys that lead to a table with such a column, directly or through other tables. */
  readonly parents: readonly string[];
}

interface TableRow extends Omit<FoundTable, 'parents'> {
  readonly keys: readonly { readonly name: string; readonly target: string }[];
}

export interface Inventory {
  readonly database: string;
  readonly owner: string;
  readonly bytes: number;
  readonly locale: string;
  readonly stamp: Stamp | undefined;
  readonly tables: readonly FoundTable[];
  /** Kind → names, of everything but tables and their parts. */
  readonly objects: Readonly<Record<string, readonly string[]>>;
  /** Role → a line for each kind of right that it has here, or for the objects that it owns. */
  readonly roles: Readonly<Record<string, readonly string[]>>;
  /** Objects that stay in this database alone, because migrations do not create them. */
  readonly kept: readonly string[];
  /** Facts that change the behaviour of the application, and that need a decision of a person. */
  readonly notes: readonly string[];
  /** TypeORM's list of the migrations that it ran. */
  readonly typeorm: { readonly table: string; readonly count: number; readonly last: string | undefined } | undefined;
  /** Why it cannot be adopted as it is. */
  readonly refusals: readonly string[];
}

/** Reads only, in the transaction of the caller. */
export async function readInventory(client: Client, schemaOfCode: readonly string[]): Promise<Inventory> {
  const stamp = await readStamp(client);
  await client.query('SET LOCAL search_path = pg_catalog');
  const { rows } = await client.query<Pick<Inventory, 'database' | 'owner' | 'bytes' | 'locale'>>(DATABASE);
  const objects = [...(await readObjects(client)).keys()];
  const list = async (query: string) => (await client.query<{ line: string }>(query)).rows.map(({ line }) => line);
  return {
    ...rows[0]!,
    stamp,
    tables: findParents((await client.query<TableRow>(TABLES)).rows),
    objects: groupObjects(objects),
    roles: await readRoles(client),
    kept: objects.filter((name) => isKept(name)),
    notes: await list(NOTES),
    typeorm: await readTypeorm(client),
    refusals: [
      ...objects
        .filter((name) => kindOf(name) === undefined && !isKept(name))
        .map((name) => `${name}: a baseline cannot create it`),
      ...(await list(REFUSED)),
      ...(stamp ? [] : findClashes(objects, schemaOfCode)),
    ],
  };
}

/** The kinds that `readBaseline` creates; the proof judges each object. Longer kinds first: `view` begins `view column` too. */
const CARRIED = [
  ...[
    'materialized view column',
    'composite type column',
    'view column',
    'table column',
    'table constraint',
    'domain constraint',
  ],
  ...['default value', 'statistics object', 'comment on', 'index', 'policy', 'table'],
];
/** Those of them that the inventory lists by name. */
const LISTED = [
  ...[
    'schema',
    'extension',
    'type',
    'composite type',
    'sequence',
    'function',
    'procedure',
    'view',
    'materialized view',
  ],
  'trigger',
];
/** They belong to the server around the schema, and go on working after the adoption. */
const KEPT = /^(comment on )?(publication|subscription|event trigger|large object) /;

/** The parts of a publication have longer names, which begin in the same way. */
export const isKept = (name: string) => KEPT.test(name);

const kindOf = (name: string) => [...CARRIED, ...LISTED].find((kind) => name.startsWith(`${kind} `));

function groupObjects(names: readonly string[]): Record<string, string[]> {
  const groups: Record<string, string[]> = {};
  for (const name of names) {
    const kind = kindOf(name);
    if (kind && LISTED.includes(kind) && kind !== 'composite type')
      (groups[kind] ??= []).push(name.slice(kind.length + 1));
  }
  return groups;
}

/** Tables, types and schemas of the migrations that this code already has. */
function findClashes(objects: readonly string[], schemaOfCode: readonly string[]): string[] {
  const names = new Set(
    schemaOfCode.flatMap((sql) => {
      const [, kind, name] =
        /^CREATE (?:UNLOGGED )?(TABLE|TYPE|SEQUENCE|DOMAIN|SCHEMA|VIEW|MATERIALIZED VIEW) (\S+)/.exec(sql) ?? [];
      return name && name !== 'public' && name !== 'jobs' ? [`${kind!.toLowerCase()} ${name}`] : [];
    }),
  );
  return objects
    .filter((name) => names.has(name))
    .map(
      (name) => `${name}: the migrations of this code create one of the same name; rename it, or remove that migration`,
    );
}

function findParents(rows: readonly TableRow[]): FoundTable[] {
  const owned = new Set(rows.filter(({ owners }) => owners.length > 0).map(({ name }) => name));
  const leads = (row: TableRow) => row.keys.filter(({ target }) => owned.has(target));
  for (let known = -1; known < owned.size;) {
    known = owned.size;
    for (const row of rows) if (leads(row).length > 0) owned.add(row.name);
  }
  return rows.map(({ keys, ...row }) => ({ ...row, parents: leads({ ...row, keys }).map(({ name }) => name) }));
}

async function readRoles(client: Client): Promise<Record<string, string[]>> {
  const { rows } = await client.query<{ role: string; line: string }>(ROLES, [SYSTEM_ROLE]);
  const roles: Record<string, string[]> = {};
  for (const { role, line } of rows) (roles[role] ??= []).push(line);
  return roles;
}

async function readTypeorm(client: Client): Promise<Inventory['typeorm']> {
  const { rows } = await client.query<{ table: string }>(TYPEORM);
  const [found] = rows;
  if (!found) return undefined;
  const { rows: facts } = await client.query<{ count: number; last: string | null }>(
    `SELECT count(*)::int AS count, (array_agg(name::text ORDER BY "timestamp" DESC))[1] AS last FROM ${found.table}`,
  );
  return { table: found.table, count: facts[0]!.count, last: facts[0]!.last ?? undefined };
}

const DATABASE = `
  SELECT datname::text AS database, pg_get_userbyid(datdba)::text AS owner, pg_database_size(oid)::float8 AS bytes,
         concat_ws(' ', pg_encoding_to_char(encoding), coalesce(datlocale, datcollate)) AS locale
    FROM pg_database WHERE datname = current_database()`;

const OWN_TABLE = `pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND ${OWN_SCHEMA} AND ${notOfExtension('pg_class', 'c.oid')}`;
/** Tables whose rows are people who sign in, by their names. */
const PEOPLE = `'^(app_?)?(user|account|member|customer|person|people|profile|client)s?$'`;
const TABLES = `
  WITH own AS (SELECT c.oid, c.relname, c.relnamespace, c.relrowsecurity, c.reltuples, c.relkind FROM ${OWN_TABLE}),
  candidates AS (
    SELECT o.oid, a.attname::text AS name, a.attnum, CASE
        WHEN a.attname ~* '^(owner|user)_?id$' THEN 1
        WHEN EXISTS (SELECT FROM pg_constraint k JOIN pg_class t ON t.oid = k.confrelid
                      WHERE k.conrelid = o.oid AND k.contype = 'f' AND k.conkey = ARRAY[a.attnum] AND t.oid <> o.oid AND t.relname ~* ${PEOPLE}) THEN 2
        WHEN o.relname ~* ${PEOPLE} AND EXISTS (SELECT FROM pg_index i WHERE i.indrelid = o.oid AND i.indisprimary AND i.indkey::text = a.attnum::text) THEN 3
      END AS rank
      FROM own o JOIN pg_attribute a ON a.attrelid = o.oid AND a.attnum > 0 AND NOT a.attisdropped
  )
  SELECT o.oid::regclass::text AS name,
         coalesce((SELECT sum(p.reltuples) FROM pg_partition_tree(o.oid) t JOIN pg_class p ON p.oid = t.relid WHERE t.isleaf), o.reltuples)::float8 AS rows,
         (SELECT coalesce(sum(pg_total_relation_size(t.relid)), pg_total_relation_size(o.oid)) FROM pg_partition_tree(o.oid) t)::float8 AS bytes,
         EXISTS (SELECT FROM pg_index i WHERE i.indrelid = o.oid AND i.indisprimary) AS "hasPrimaryKey",
         o.relrowsecurity AS "isProtected",
         ARRAY(SELECT name FROM candidates f WHERE f.oid = o.oid AND rank IS NOT NULL ORDER BY rank, attnum) AS owners,
         (SELECT coalesce(json_agg(json_build_object('name', k.conname, 'target', k.confrelid::regclass::text) ORDER BY k.conname), '[]') FROM pg_constraint k
           WHERE k.conrelid = o.oid AND k.contype = 'f' AND k.conparentid = 0 AND k.confrelid <> o.oid) AS keys
    FROM own o ORDER BY 1`;

const RIGHTS = (kind: string, catalogue: string, acl: string, from: string) => `
  SELECT g.grantee, format('%s on %s ${kind}', string_agg(DISTINCT g.privilege_type, ', '), count(DISTINCT x.oid)) AS line, 2 AS place
    FROM (SELECT t.oid, ${acl} AS acl FROM ${catalogue} t JOIN pg_namespace n ON n.oid = ${from} WHERE ${OWN_SCHEMA} AND ${notOfExtension(catalogue, 't.oid')}) x
    CROSS JOIN LATERAL aclexplode(x.acl) g WHERE g.grantee <> g.grantor GROUP BY 1`;
const OWNED = (kind: string, catalogue: string, owner: string, from: string, condition = 'true') => `
  SELECT ${owner}, format('owns %s ${kind}', count(*)), 1
    FROM ${catalogue} t JOIN pg_namespace n ON n.oid = ${from} WHERE ${OWN_SCHEMA} AND ${notOfExtension(catalogue, 't.oid')} AND ${condition} GROUP BY 1`;
const ROLES = `
  SELECT CASE r.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(r.grantee)::text END AS role, r.line FROM (
    ${RIGHTS('schemas', 'pg_namespace', 't.nspacl', 't.oid')}
    UNION ALL ${RIGHTS('tables and views', 'pg_class', `t.relacl`, 't.relnamespace')}
    UNION ALL ${RIGHTS('functions', 'pg_proc', 't.proacl', 't.pronamespace')}
    UNION ALL ${OWNED('tables and views', 'pg_class', 'relowner', 't.relnamespace', `relkind IN ('r', 'p', 'v', 'm', 'f')`)}
    UNION ALL ${OWNED('functions', 'pg_proc', 'proowner', 't.pronamespace')}
  ) r WHERE r.grantee = 0 OR pg_get_userbyid(r.grantee) NOT IN ('pg_database_owner', $1) ORDER BY 1, r.place, 2`;

const NOTES = `
  SELECT format('%s runs with the rights of its owner (SECURITY DEFINER): %s now, then the owner role', p.oid::regprocedure, pg_get_userbyid(p.proowner)) AS line
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.prosecdef AND ${OWN_SCHEMA} AND ${notOfExtension('pg_proc', 'p.oid')}
  UNION ALL
  SELECT format('%s sets %s; sessions of Airlock use search_path=public and TimeZone=UTC',
           CASE WHEN setrole = 0 THEN 'the database' ELSE format('the role %s', pg_get_userbyid(setrole)) END, s)
    FROM pg_db_role_setting, unnest(setconfig) s WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
  UNION ALL
  SELECT format('%s is in schema %s: refresh copies only rows of schema public', c.oid::regclass, n.nspname) FROM ${OWN_TABLE} AND n.nspname <> 'public'
  UNION ALL
  SELECT format('%s of %s points at another schema: refresh cannot fill it unless the column may be NULL', k.conname, c.oid::regclass)
    FROM pg_constraint k JOIN pg_class o ON o.oid = k.confrelid, ${OWN_TABLE} AND c.oid = k.conrelid AND k.contype = 'f' AND k.conparentid = 0
     AND n.nspname = 'public' AND o.relnamespace <> c.relnamespace
  UNION ALL
  SELECT format('extension %s needs an administrator: the owner role cannot create it in a new database', extname)
    FROM pg_extension x JOIN pg_available_extension_versions v ON v.name = x.extname AND v.version = x.extversion
   WHERE extname <> 'plpgsql' AND v.superuser AND NOT v.trusted
  UNION ALL
  SELECT format('the database sorts text by %s; databases that Airlock creates sort by C.UTF-8', coalesce(datlocale, datcollate))
    FROM pg_database WHERE datname = current_database() AND NOT (datlocprovider = 'b' AND datlocale = 'C.UTF-8')
  ORDER BY 1`;

const REFUSED = `
  SELECT format('policy %s on %s: is for the role %s, which other servers do not have; expected PUBLIC or airlock_system', p.polname, c.oid::regclass, pg_get_userbyid(r)) AS line
    FROM pg_policy p CROSS JOIN LATERAL unnest(p.polroles) r, ${OWN_TABLE} AND c.oid = p.polrelid AND r <> 0 AND pg_get_userbyid(r) <> 'airlock_system'
  UNION ALL
  SELECT format('schema %s: Airlock creates one of this name; rename it', n.nspname) FROM pg_namespace n
   WHERE n.nspname IN ('ops', 'jobs') AND to_regclass('ops.environment') IS NULL
  UNION ALL
  SELECT format('index %s: is invalid; drop it or build it again', i.indexrelid::regclass) FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace WHERE NOT i.indisvalid AND ${OWN_SCHEMA}
  ORDER BY 1`;

const TYPEORM = `
  SELECT c.oid::regclass::text AS table FROM ${OWN_TABLE} AND c.relname IN ('migrations', 'typeorm_migrations')
     AND (SELECT array_agg(attname::text ORDER BY attname) FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped) = '{id,name,timestamp}'
     -- A cast of a type that the database defines would call its functions.
     AND NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND atttypid >= 16384)
   ORDER BY n.nspname <> 'public' LIMIT 1`;
