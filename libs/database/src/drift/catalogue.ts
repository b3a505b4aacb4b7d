import type { ClientBase } from 'pg';

/** The placeholders for the three roles, so that the output is the same in every environment. */
export interface RoleNames {
  readonly app: string;
  readonly migrator: string;
}

/**
 * Everything that a migration can create, as SQL, one statement each. The same schema gives the same text on every
 * server. Schema ops is left out: provisioning and the migrator create it, and it differs between environments.
 */
export async function readCatalogue(client: ClientBase, roles: RoleNames): Promise<string[]> {
  const statements = await readStatements(client, [...STRUCTURE, ...RIGHTS]);
  const owner = await readOwner(client);
  const names = new Map([
    [owner, 'owner'],
    [roles.app, 'app'],
    [roles.migrator, 'migrator'],
  ]);
  return statements.map((sql) => renameRoles(sql, (name) => names.get(name) ?? name));
}

/** The same without grants, and with one owner for all: what stays the same when a database gets other roles. */
export async function readStructure(client: ClientBase): Promise<string[]> {
  const statements = await readStatements(client, STRUCTURE);
  return statements.map((sql) => renameRoles(sql, (name) => name && 'owner'));
}

async function readStatements(client: ClientBase, queries: readonly string[]): Promise<string[]> {
  const statements: string[] = [];
  // Names are printed with their schema unless the search path reaches them.
  await client.query('SET search_path = pg_catalog');
  for (const query of queries) {
    const { rows } = await client.query<{ sql: string }>(query);
    statements.push(...rows.map(({ sql }) => indent(sql)));
  }
  return statements;
}

async function readOwner(client: ClientBase): Promise<string> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT pg_get_userbyid(nspowner) AS name FROM pg_namespace WHERE nspname = 'public'`,
  );
  return rows[0]?.name ?? '';
}

/** A line that begins with a space continues a statement; any other line begins the next one. */
function indent(sql: string): string {
  return sql.trim().replaceAll(/\n\s*/g, '\n  ');
}

/** The queries write roles as «name», which none of our identifiers contains. */
function renameRoles(sql: string, rename: (name: string) => string): string {
  return sql.replaceAll(/«([^»]*)»/g, (_, name: string) => rename(name) || 'PUBLIC');
}

const OURS = `n.nspname NOT IN ('pg_catalog', 'information_schema', 'ops') AND n.nspname !~ '^pg_(toast|temp)'`;
const ROLE = (oid: string) => `'«' || CASE ${oid} WHEN 0 THEN '' ELSE pg_get_userbyid(${oid}) END || '»'`;
const NOT_OF_EXTENSION = (catalogue: string, oid: string) =>
  `NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = '${catalogue}'::regclass AND e.objid = ${oid} AND e.deptype = 'e')`;
const GRANTS = (kind: string, name: string, acl: string) =>
  `format('GRANT %s ON ${kind} %s TO %s%s;', g.privilege_type, ${name}, ${ROLE('g.grantee')},
          CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
     AS sql FROM aclexplode(${acl}) g`;

const STRUCTURE = [
  `SELECT format('CREATE EXTENSION %I SCHEMA %I VERSION %L;', extname, n.nspname, extversion) AS sql
     FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace
    WHERE extname <> 'plpgsql' ORDER BY 1`,
  `SELECT format('CREATE SCHEMA %I AUTHORIZATION %s;', nspname, ${ROLE('nspowner')}) AS sql
     FROM pg_namespace n WHERE ${OURS} ORDER BY 1`,
  `SELECT format('CREATE TYPE %I.%I AS ENUM (%s);', n.nspname, t.typname,
                 (SELECT string_agg(quote_literal(enumlabel), ', ' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid)) AS sql
     FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.typtype = 'e' AND ${OURS} ORDER BY 1`,
  `SELECT format('CREATE DOMAIN %I.%I AS %s%s%s;', n.nspname, t.typname, format_type(t.typbasetype, t.typtypmod),
                 CASE WHEN t.typnotnull THEN ' NOT NULL' ELSE '' END,
                 (SELECT string_agg(format(' CONSTRAINT %I %s', conname, pg_get_constraintdef(oid)), '' ORDER BY conname)
                    FROM pg_constraint WHERE contypid = t.oid AND contype = 'c')) AS sql
     FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.typtype = 'd' AND ${OURS} ORDER BY 1`,
  `SELECT format('CREATE SEQUENCE %I.%I AS %s INCREMENT %s MINVALUE %s MAXVALUE %s START %s%s;', n.nspname, c.relname,
                 format_type(s.seqtypid, NULL), s.seqincrement, s.seqmin, s.seqmax, s.seqstart, CASE WHEN s.seqcycle THEN ' CYCLE' ELSE '' END) AS sql
     FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ${OURS} ORDER BY 1`,
  `SELECT pg_get_functiondef(p.oid) || ';' AS sql FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE p.prokind IN ('f', 'p') AND ${OURS} AND ${NOT_OF_EXTENSION('pg_proc', 'p.oid')} ORDER BY p.oid::regprocedure::text COLLATE "C"`,
  `SELECT format('CREATE %sTABLE %I.%I ()%s; ALTER TABLE %I.%I OWNER TO %s;', CASE c.relpersistence WHEN 'u' THEN 'UNLOGGED ' ELSE '' END,
                 n.nspname, c.relname, coalesce(' PARTITION BY ' || pg_get_partkeydef(c.oid), ''), n.nspname, c.relname, ${ROLE('c.relowner')}) AS sql
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p') AND ${OURS} ORDER BY 1`,
  `SELECT format('ALTER TABLE %I.%I ADD COLUMN %I %s%s%s%s%s;', n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
                 CASE WHEN a.attcollation <> t.typcollation THEN format(' COLLATE %s', a.attcollation::regcollation) ELSE '' END,
                 CASE a.attidentity WHEN 'a' THEN ' GENERATED ALWAYS AS IDENTITY' WHEN 'd' THEN ' GENERATED BY DEFAULT AS IDENTITY' ELSE '' END,
                 CASE a.attgenerated WHEN '' THEN coalesce(' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), '')
                   ELSE format(' GENERATED ALWAYS AS (%s) %s', pg_get_expr(d.adbin, d.adrelid),
                               CASE a.attgenerated WHEN 's' THEN 'STORED' ELSE 'VIRTUAL' END) END,
                 CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END) AS sql
     FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
     JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped AND ${OURS}
    ORDER BY n.nspname, c.relname, a.attnum`,
  `SELECT format('ALTER TABLE %I.%I ADD CONSTRAINT %I %s;', n.nspname, c.relname, k.conname, pg_get_constraintdef(k.oid)) AS sql
     FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE ${OURS} ORDER BY 1`,
  `SELECT pg_get_indexdef(i.indexrelid) || CASE WHEN i.indisvalid THEN ';' ELSE '; -- INVALID' END AS sql
     FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE ${OURS} AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x') AND i.indisvalid)
    ORDER BY 1`,
  `SELECT pg_get_triggerdef(g.oid) || CASE g.tgenabled WHEN 'O' THEN ';' ELSE '; -- ENABLED ' || g.tgenabled::text END AS sql
     FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE NOT g.tgisinternal AND ${OURS} ORDER BY 1`,
  `SELECT format('ALTER TABLE %I.%I %s ROW LEVEL SECURITY;', n.nspname, c.relname, word) AS sql
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     CROSS JOIN LATERAL (VALUES ('ENABLE', c.relrowsecurity), ('FORCE', c.relforcerowsecurity)) v (word, is_set)
    WHERE is_set AND ${OURS} ORDER BY 1`,
  `SELECT format('CREATE POLICY %I ON %I.%I AS %s FOR %s TO %s%s%s;', p.polname, n.nspname, c.relname,
                 CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
                 CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
                 (SELECT string_agg(${ROLE('r')}, ', ' ORDER BY r) FROM unnest(p.polroles) r),
                 coalesce(' USING (' || pg_get_expr(p.polqual, p.polrelid) || ')', ''),
                 coalesce(' WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')', '')) AS sql
     FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ${OURS} ORDER BY 1`,
  `SELECT format('CREATE %sVIEW %I.%I AS %s', CASE c.relkind WHEN 'm' THEN 'MATERIALIZED ' ELSE '' END, n.nspname, c.relname, pg_get_viewdef(c.oid)) AS sql
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('v', 'm') AND ${OURS} ORDER BY 1`,
];

const RIGHTS = [
  `SELECT acl.sql FROM pg_namespace n CROSS JOIN LATERAL (SELECT ${GRANTS('SCHEMA', 'quote_ident(n.nspname)', 'n.nspacl')}) acl WHERE ${OURS} ORDER BY 1`,
  `SELECT acl.sql FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    CROSS JOIN LATERAL (SELECT ${GRANTS('TABLE', `format('%I.%I', n.nspname, c.relname)`, `coalesce(c.relacl, acldefault('r', c.relowner))`)}) acl
    WHERE c.relkind IN ('r', 'p', 'v', 'm') AND ${OURS} ORDER BY 1`,
  `SELECT acl.sql FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    CROSS JOIN LATERAL (SELECT ${GRANTS('FUNCTION', 'p.oid::regprocedure', `coalesce(p.proacl, acldefault('f', p.proowner))`)}) acl
    WHERE ${OURS} AND ${NOT_OF_EXTENSION('pg_proc', 'p.oid')} ORDER BY 1`,
  `SELECT format('ALTER DEFAULT PRIVILEGES FOR ROLE %s %sGRANT %s ON %s TO %s;', ${ROLE('d.defaclrole')},
                 coalesce('IN SCHEMA ' || quote_ident(n.nspname) || ' ', ''), g.privilege_type,
                 CASE d.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS' WHEN 'T' THEN 'TYPES' ELSE 'SCHEMAS' END,
                 ${ROLE('g.grantee')}) AS sql
     FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace CROSS JOIN LATERAL aclexplode(d.defaclacl) g ORDER BY 1`,
];
