import { USER_SETTING } from '../syntax/user-setting.js';

/** A foreign key, or a unique or exclusion constraint or index. PostgreSQL checks them without row-level security. */
export interface KeyState {
  /** Of its table. */
  readonly oid: number;
  /** Of the table whose key it belongs to, if that table is partitioned. */
  readonly parent: number | null;
  readonly table: string;
  readonly bare: string;
  readonly isPartitioned: boolean;
  readonly name: string;
  /** As in pg_constraint: p, u, x or f. An index without a constraint is i. */
  readonly kind: 'p' | 'u' | 'x' | 'f' | 'i';
  /** Stays the same when the key is created again. */
  readonly identity: string;
  /** Unquoted names; null for an expression, and for a column that an exclusion constraint does not compare with =. */
  readonly columns: readonly (string | null)[];
  /** Its only column is a uuid that PostgreSQL generates, so its values cannot be guessed. */
  readonly isRandom: boolean;
  /** Of its index, as PostgreSQL prints it. */
  readonly definition: string;
  readonly reference: Reference | null;
}

/** The table that a foreign key refers to. */
export interface Reference {
  readonly oid: number;
  readonly table: string;
  readonly bare: string;
  readonly isPartitioned: boolean;
  /** In the order of the columns of the key. */
  readonly columns: readonly string[];
  /** `CASCADE`, `SET NULL` */
  readonly onDelete: string | null;
  readonly onUpdate: string | null;
  readonly deferral: string | null;
}

/** A key through which one user can notice or change rows of another. */
export interface ExposedKey extends KeyState {
  /** The column of its table that every policy that permits writes compares with the user. */
  readonly owner: string | undefined;
  /** The same of the table that it refers to. */
  readonly targetOwner: string | undefined;
}

export interface KeyTrace {
  readonly exposed: readonly TracedKey[];
}

export interface TracedKey extends ExposedKey {
  /** Not only exposed, but also created by the statement. */
  readonly isNew: boolean;
  /** The table existed before the migration, and the table that it refers to. */
  readonly isTableKnown: boolean;
  readonly isTargetKnown: boolean;
}

/** The keys, and what decides whether they are exposed. */
export interface KeySecurity {
  readonly keys: readonly KeyState[];
  readonly secured: readonly SecuredTable[];
  /** Functions that read the user. */
  readonly userFunctions: readonly string[];
}

/** The policies of a table with row-level security; a partition is also reached through the tables above it. */
export interface SecuredTable {
  readonly oid: number;
  readonly policies: readonly PolicyState[];
}

export interface PolicyState {
  readonly isPermissive: boolean;
  /** As in pg_policy: r, a (INSERT), w (UPDATE), d or *. */
  readonly command: 'r' | 'a' | 'w' | 'd' | '*';
  /** Not limited to certain roles. */
  readonly isPublic: boolean;
  readonly using: string | null;
  readonly check: string | null;
}

const RANDOM = String.raw`^([^(]+\.)?(gen_random_uuid|uuidv4|uuidv7|uuid_generate_v4)\(`;

const UNIQUE_KEYS = `
  SELECT r.oid::bigint AS oid, (SELECT p.indrelid::bigint FROM pg_inherits h JOIN pg_index p ON p.indexrelid = h.inhparent
                                 WHERE h.inhrelid = i.indexrelid) AS parent,
         r.name AS "table", r.relname AS bare, r.relkind = 'p' AS "isPartitioned", quote_ident(coalesce(k.conname, c.relname)) AS name,
         coalesce(k.contype, 'i') AS kind,
         concat_ws(' ', r.oid, coalesce(k.contype, 'i'), i.indkey, pg_get_expr(i.indexprs, r.oid), k.conexclop::text) AS identity,
         array(SELECT a.attname FROM generate_series(0, i.indnkeyatts - 1) n
                 LEFT JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum = i.indkey[n]
                  AND (k.conexclop IS NULL OR (SELECT oprname FROM pg_operator WHERE oid = k.conexclop[n + 1]) = '=')
                ORDER BY n) AS columns,
         i.indnkeyatts = 1 AND EXISTS (
           SELECT FROM pg_attribute a LEFT JOIN pg_attrdef e ON e.adrelid = r.oid AND e.adnum = a.attnum
             LEFT JOIN domain d ON d.oid = a.atttypid
            WHERE a.attrelid = r.oid AND a.attnum = i.indkey[0] AND coalesce(d.base, format_type(a.atttypid, NULL)) = 'uuid'
              AND coalesce(pg_get_expr(e.adbin, r.oid), d."default") ~ '${RANDOM}') AS "isRandom",
         pg_get_indexdef(i.indexrelid) AS definition, NULL::json AS reference
    FROM pg_index i JOIN relation r ON r.oid = i.indrelid AND r.relkind IN ('r', 'p') JOIN pg_class c ON c.oid = i.indexrelid
    LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.conrelid = r.oid AND k.contype IN ('p', 'u', 'x')
   WHERE i.indisunique OR i.indisexclusion`;

const action = (column: string) =>
  `CASE ${column} WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' WHEN 'd' THEN 'SET DEFAULT' WHEN 'r' THEN 'RESTRICT' END`;

const FOREIGN_KEYS = `
  SELECT r.oid::bigint, (SELECT p.conrelid::bigint FROM pg_constraint p WHERE p.oid = k.conparentid), r.name, r.relname,
         r.relkind = 'p', quote_ident(k.conname), k.contype,
         concat_ws(' ', r.oid, 'f', k.conkey::text, k.confrelid, k.confkey::text, k.confdeltype, k.confupdtype),
         array(SELECT a.attname FROM unnest(k.conkey) WITH ORDINALITY x (number, at)
                 JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum = x.number ORDER BY x.at),
         false, '', json_build_object('oid', t.oid::bigint, 'table', t.name, 'bare', t.relname, 'isPartitioned', t.relkind = 'p',
           'columns', array(SELECT a.attname FROM unnest(k.confkey) WITH ORDINALITY x (number, at)
                              JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = x.number ORDER BY x.at),
           'onDelete', ${action('k.confdeltype')}, 'onUpdate', ${action('k.confupdtype')},
           'deferral', CASE WHEN k.condeferred THEN 'DEFERRABLE INITIALLY DEFERRED' WHEN k.condeferrable THEN 'DEFERRABLE' END)
    FROM pg_constraint k JOIN relation r ON r.oid = k.conrelid JOIN relation t ON t.oid = k.confrelid
   WHERE k.contype = 'f'`;

/** Smaller ones are PostgreSQL's own: more than 3,000 functions that need not be read. */
const FIRST_USER_OID = 16_384;

/** Common table expressions of the snapshot, after `relation` and `domain`. */
export const KEYS = `
  key AS (${UNIQUE_KEYS} UNION ALL ${FOREIGN_KEYS}),
  lineage AS (
    SELECT oid, oid AS ancestor FROM relation
    UNION
    SELECT l.oid, i.inhparent FROM lineage l JOIN pg_inherits i ON i.inhrelid = l.ancestor),
  user_function AS (
    SELECT format('%I.%I', n.nspname, p.proname) AS name FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
     WHERE p.oid >= ${FIRST_USER_OID} AND concat(p.prosrc, pg_get_function_sqlbody(p.oid)) ILIKE '%${USER_SETTING}%'),
  secured AS (
    SELECT l.oid::bigint AS oid, coalesce((
             SELECT json_agg(json_build_object('isPermissive', p.polpermissive, 'command', p.polcmd,
                      'isPublic', 0 = ANY (p.polroles), 'using', pg_get_expr(p.polqual, c.oid),
                      'check', pg_get_expr(p.polwithcheck, c.oid)))
               FROM pg_policy p WHERE p.polrelid = c.oid), '[]') AS policies
      FROM lineage l JOIN pg_class c ON c.oid = l.ancestor AND c.relrowsecurity)`;
