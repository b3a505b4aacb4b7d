import type { Client } from 'pg';

interface Change {
  /** Whose index it is, or null for anything else. */
  readonly table: string | null;
  readonly suspend: string;
  readonly restore: string;
}

/**
 * Takes off keys, indexes, triggers and forced row-level security for `fill`, then puts them back: rows are written once
 * in any order, circles of keys do no harm, and each key is checked over the whole table at the end. The database is new,
 * so a run that is killed here leaves nothing that anyone uses.
 *
 * @param fill puts back the indexes of the tables that are complete, if another session is free
 */
export async function withoutChecks(
  client: Client,
  fill: (restoreIndexes: (by: Client, table: string) => Promise<void>) => Promise<void>,
): Promise<void> {
  const { rows } = await client.query<Change>(CHANGES);
  for (const { suspend } of rows) await client.query(suspend);
  let open = rows.toReversed();
  const restore = async (by: Client, isMine: (change: Change) => boolean) => {
    const mine = open.filter(isMine);
    open = open.filter((change) => !mine.includes(change));
    for (const { restore } of mine) await by.query(restore);
  };
  await fill((by, name) => restore(by, ({ table }) => table === name));
  await restore(client, () => true);
}

const TABLE = `pg_catalog.format('public.%I', c.relname)`;
const ALTER = `'ALTER TABLE ' || ${TABLE} || ' '`;
const OURS = `c.relnamespace = 'public'::pg_catalog.regnamespace`;

/**
 * In the order in which they are taken off; put back from the end. Row-level security is the last to return, because with
 * it PostgreSQL checks a key row by row. Indexes of partitioned tables stay: each consists of one index for each partition, and those have names that would change.
 */
const CHANGES = `
  WITH kept AS (
    SELECT indexrelid FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
     WHERE i.indisreplident OR i.indisclustered OR NOT i.indisvalid OR c.relkind <> 'r' OR c.relispartition
        -- A view that groups by a primary key depends on it.
        OR EXISTS (SELECT FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_depend d ON d.refobjid = k.oid
                    WHERE k.conindid = i.indexrelid AND d.refclassid = 'pg_catalog.pg_constraint'::pg_catalog.regclass
                      AND d.classid IN ('pg_catalog.pg_rewrite'::pg_catalog.regclass, 'pg_catalog.pg_proc'::pg_catalog.regclass))
  )
  SELECT 2 AS place, NULL AS "table", pg_catalog.format('ALTER TABLE %s DROP CONSTRAINT %I', k.conrelid::pg_catalog.regclass, k.conname) AS suspend,
         pg_catalog.format('ALTER TABLE %s ADD CONSTRAINT %I %s', k.conrelid::pg_catalog.regclass, k.conname, pg_catalog.pg_get_constraintdef(k.oid)) AS restore
    FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.confrelid
   -- Also those of other schemas, whose tables stay empty. No key of a table in public points there: its rows cannot be copied.
   WHERE ${OURS} AND k.contype = 'f' AND k.conparentid = 0
  UNION ALL
  SELECT 3, c.relname::text, ${ALTER} || pg_catalog.format('DROP CONSTRAINT %I', k.conname),
         ${ALTER} || pg_catalog.format('ADD CONSTRAINT %I %s', k.conname, pg_catalog.pg_get_constraintdef(k.oid))
    FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
   WHERE ${OURS} AND k.contype IN ('p', 'u', 'x') AND k.conindid NOT IN (SELECT indexrelid FROM kept)
  UNION ALL
  SELECT 4, c.relname::text, 'DROP INDEX ' || pg_catalog.format('public.%I', x.relname), pg_catalog.pg_get_indexdef(i.indexrelid)
    FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indrelid JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
   WHERE ${OURS} AND i.indexrelid NOT IN (SELECT indexrelid FROM kept)
     AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))
  UNION ALL
  SELECT 5, NULL, ${ALTER} || pg_catalog.format('DISABLE TRIGGER %I', g.tgname),
         ${ALTER} || pg_catalog.format('ENABLE %s TRIGGER %I', CASE g.tgenabled WHEN 'R' THEN 'REPLICA' WHEN 'A' THEN 'ALWAYS' ELSE '' END, g.tgname)
    FROM pg_catalog.pg_trigger g JOIN pg_catalog.pg_class c ON c.oid = g.tgrelid
   WHERE ${OURS} AND NOT g.tgisinternal AND g.tgenabled <> 'D' AND g.tgparentid = 0
  UNION ALL
  SELECT 1, NULL, ${ALTER} || 'NO FORCE ROW LEVEL SECURITY', ${ALTER} || 'FORCE ROW LEVEL SECURITY'
    FROM pg_catalog.pg_class c WHERE ${OURS} AND c.relforcerowsecurity
  ORDER BY 1, 3`;

/** Sequences go on behind the highest value that a column of theirs holds. */
export async function advanceSequences(client: Client): Promise<void> {
  const { rows } = await client.query<{ sql: string }>(SEQUENCES);
  for (const { sql } of rows) await client.query(sql);
}

const SEQUENCES = `
  SELECT pg_catalog.format('SELECT pg_catalog.setval(%L, greatest(max(%I), %s)) FROM public.%I HAVING max(%I) IS NOT NULL',
           pg_catalog.format('%I.%I', n.nspname, s.relname), a.attname, q.seqmin, c.relname, a.attname) AS sql
    FROM pg_catalog.pg_class s JOIN pg_catalog.pg_sequence q ON q.seqrelid = s.oid JOIN pg_catalog.pg_namespace n ON n.oid = s.relnamespace
    JOIN pg_catalog.pg_depend d ON d.refobjid = s.oid AND d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass
    JOIN pg_catalog.pg_attrdef f ON f.oid = d.objid
    JOIN pg_catalog.pg_attribute a ON a.attrelid = f.adrelid AND a.attnum = f.adnum
    JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
   WHERE ${OURS} AND a.atttypid IN ('pg_catalog.int2'::pg_catalog.regtype, 'pg_catalog.int4'::pg_catalog.regtype, 'pg_catalog.int8'::pg_catalog.regtype)
  UNION ALL
  SELECT pg_catalog.format('SELECT pg_catalog.setval(%L, greatest(max(%I), %s)) FROM public.%I HAVING max(%I) IS NOT NULL',
           pg_catalog.format('%I.%I', n.nspname, s.relname), a.attname, q.seqmin, c.relname, a.attname)
    FROM pg_catalog.pg_class s JOIN pg_catalog.pg_sequence q ON q.seqrelid = s.oid JOIN pg_catalog.pg_namespace n ON n.oid = s.relnamespace
    JOIN pg_catalog.pg_depend d ON d.objid = s.oid AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.deptype = 'i' AND d.refobjsubid > 0
    JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
    JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
   WHERE ${OURS} AND a.attidentity <> ''`;
