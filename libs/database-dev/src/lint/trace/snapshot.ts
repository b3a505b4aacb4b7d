import type { Client } from 'pg';
import type { DomainState } from '../syntax/domain-state.js';
import { DOMAINS } from './domain-sql.js';
import { type KeySecurity, type KeyState, KEYS, type SecuredTable } from './key-state.js';

/** The state of the database that a session sees between two statements. Names are quoted where SQL needs it. */
export interface Snapshot extends KeySecurity {
  readonly relations: ReadonlyMap<string, RelationState>;
  /** Every lock that the transaction holds on a table. */
  readonly locks: readonly { readonly oid: number; readonly table: string; readonly mode: string }[];
  /** Name → identities of the tables, views, functions, types and schemas that have it. */
  readonly objects: ReadonlyMap<string, readonly string[]>;
  readonly columns: readonly ColumnState[];
  readonly domains: readonly DomainState[];
  /** Tables whose row-level security shows no row, because no policy permits one. */
  readonly closed: readonly { readonly oid: number; readonly table: string; readonly isForced: boolean }[];
  readonly settings: Readonly<Record<string, string | null>>;
}

export interface RelationState {
  /** Stays the same when the relation is renamed, and differs when it is dropped and created again. */
  readonly oid: number;
  /** The file that contains its rows; it changes with a rewrite. */
  readonly file: number;
  /** The name without schema and quotes, as server messages print it. */
  readonly bare: string;
  /** Tables that it is a partition or a child of. */
  readonly parents: readonly string[];
  readonly rows: RowCounts;
}

/** Rows that this transaction has written, including rolled back ones. */
export interface RowCounts {
  readonly inserted: number;
  readonly updated: number;
  readonly deleted: number;
}

export interface ColumnState {
  readonly oid: number;
  /** Stays the same when the column is renamed. */
  readonly number: number;
  /** `schema.table.column` */
  readonly name: string;
  readonly bare: string;
  readonly isRequired: boolean;
  /** By a default, its own or that of its domain, an identity or an expression. */
  readonly isFilled: boolean;
  /** GENERATED ALWAYS AS IDENTITY: an INSERT may not give a value. */
  readonly isAlways: boolean;
  /** `varchar`, `int4`: the name of the type in pg_type. */
  readonly type: string;
  readonly hasLength: boolean;
  /** The only column of the primary key. */
  readonly isKey: boolean;
  /** A partition, a child and a table OF a type have columns that they did not choose. */
  readonly isChosen: boolean;
}

/** Settings that the runner sets for every migration. */
const SETTINGS = [
  'lock_timeout',
  'statement_timeout',
  'transaction_timeout',
  'idle_in_transaction_session_timeout',
  'search_path',
  'row_security',
  'session_replication_role',
  'session_authorization',
  'role',
  'ops.allow_drop',
];

export const USERS_OWN = `n.nspname NOT IN ('pg_catalog', 'information_schema', 'ops') AND n.nspname !~ '^pg_(toast|temp)'`;

/** The catalogue columns with the schema and the name of its objects. */
const CATALOGUES = [
  ['pg_class', 'relnamespace', 'relname'],
  ['pg_proc', 'pronamespace', 'proname'],
  ['pg_type', 'typnamespace', 'typname'],
] as const;

const OBJECTS = [
  ...CATALOGUES.map(
    ([catalogue, schema, name]) =>
      `SELECT format('%I.%I', n.nspname, o.${name}) AS name, '${catalogue} ' || o.oid AS id
         FROM ${catalogue} o JOIN pg_namespace n ON n.oid = o.${schema} WHERE ${USERS_OWN}`,
  ),
  `SELECT quote_ident(n.nspname), 'pg_namespace ' || n.oid FROM pg_namespace n WHERE ${USERS_OWN}`,
].join(' UNION ALL ');

const SQL = `
  WITH RECURSIVE relation AS MATERIALIZED (
    SELECT c.oid, c.relkind, c.relname, format('%I.%I', n.nspname, c.relname) AS name, c.relfilenode::bigint AS file
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'm', 'i') AND ${USERS_OWN}),
  ${DOMAINS},
  ${KEYS}
  SELECT
    (SELECT json_agg(json_build_object('oid', oid::bigint, 'kind', relkind, 'name', name, 'bare', relname, 'file', file,
              'parents', array(SELECT p.name FROM pg_inherits i JOIN relation p ON p.oid = i.inhparent WHERE i.inhrelid = r.oid),
              'rows', json_build_object('inserted', pg_stat_get_xact_tuples_inserted(oid),
                                        'updated', pg_stat_get_xact_tuples_updated(oid),
                                        'deleted', pg_stat_get_xact_tuples_deleted(oid))) ORDER BY name) FROM relation r) AS relations,
    (SELECT json_agg(json_build_object('oid', l.relation::bigint, 'mode', l.mode) ORDER BY l.mode) FROM pg_locks l
      WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation') AS locks,
    (SELECT json_agg(k ORDER BY k."table", k.name) FROM key k) AS keys,
    (SELECT json_agg(s ORDER BY s.oid) FROM secured s) AS secured,
    (SELECT json_agg(name) FROM user_function) AS functions,
    (SELECT json_agg(json_build_object('oid', r.oid::bigint, 'number', a.attnum, 'name', r.name || '.' || quote_ident(a.attname), 'bare', quote_ident(a.attname),
              'isRequired', a.attnotnull OR coalesce(d."isRequired", false),
              'isFilled', a.atthasdef OR a.attidentity <> '' OR d."default" IS NOT NULL, 'isAlways', a.attidentity = 'a',
              'type', t.typname, 'hasLength', a.atttypmod >= 0, 'isChosen', a.attinhcount = 0 AND c.reloftype = 0,
              'isKey', EXISTS (SELECT FROM pg_constraint k
                                WHERE k.conrelid = a.attrelid AND k.contype = 'p' AND k.conkey = ARRAY[a.attnum])))
       FROM pg_attribute a JOIN relation r ON r.oid = a.attrelid AND r.relkind IN ('r', 'p')
       JOIN pg_class c ON c.oid = r.oid JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN domain d ON d.oid = a.atttypid
      WHERE a.attnum > 0 AND NOT a.attisdropped) AS columns,
    (SELECT json_agg(json_build_object('name', d.name, 'base', d.base, 'default', d."default",
              'isRequired', d."isRequired", 'isConstrained', d."isConstrained") ORDER BY d.name)
       FROM domain d JOIN pg_type t ON t.oid = d.oid JOIN pg_namespace n ON n.oid = t.typnamespace
      WHERE ${USERS_OWN}) AS domains,
    (SELECT json_agg(json_build_object('oid', r.oid::bigint, 'table', r.name, 'isForced', c.relforcerowsecurity))
       FROM pg_class c JOIN relation r ON r.oid = c.oid
      WHERE c.relrowsecurity AND NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polpermissive)) AS closed,
    (SELECT json_object_agg(name, ids) FROM (SELECT name, json_agg(id) AS ids FROM (${OBJECTS}) o GROUP BY name) o) AS objects,
    (SELECT json_object_agg(s, current_setting(s, true)) FROM unnest($1::text[]) s) AS settings`;

interface Row {
  readonly relations: readonly (RelationState & { readonly name: string; readonly kind: string })[] | null;
  readonly locks: readonly { readonly oid: number; readonly mode: string }[] | null;
  readonly keys: readonly KeyState[] | null;
  readonly secured: readonly SecuredTable[] | null;
  readonly functions: readonly string[] | null;
  readonly columns: Snapshot['columns'] | null;
  readonly domains: Snapshot['domains'] | null;
  readonly closed: Snapshot['closed'] | null;
  readonly objects: Readonly<Record<string, readonly string[]>> | null;
  readonly settings: Snapshot['settings'];
}

/** Reads the complete state in one query, and remembers the names of dropped tables while their locks remain. */
export class SnapshotReader {
  readonly #tables = new Map<number, string>();

  constructor(private readonly client: Client) {}

  async read(): Promise<Snapshot> {
    const { rows } = await this.client.query<Row>(SQL, [SETTINGS]);
    const { relations, locks, keys, secured, functions, columns, domains, closed, objects, settings } = rows[0] as Row;
    for (const { oid, name, kind } of relations ?? []) if (kind !== 'i') this.#tables.set(oid, name);
    return {
      relations: new Map((relations ?? []).map((relation) => [relation.name, relation])),
      locks: (locks ?? [])
        .flatMap(({ oid, mode }) => {
          const table = this.#tables.get(oid);
          return table === undefined ? [] : [{ oid, table, mode }];
        })
        .sort((a, b) => (a.table < b.table ? -1 : Number(a.table > b.table))),
      keys: keys ?? [],
      secured: secured ?? [],
      userFunctions: functions ?? [],
      columns: columns ?? [],
      domains: domains ?? [],
      closed: closed ?? [],
      objects: new Map(Object.entries(objects ?? {})),
      settings,
    };
  }
}
