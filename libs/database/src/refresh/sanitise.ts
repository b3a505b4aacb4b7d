import { type Client, DatabaseError, escapeIdentifier, escapeLiteral } from 'pg';
import { ProvisionError } from '../provision/provision.js';
import type { ColumnRule } from '../model/column-rules.js';
import type { TableRules } from './table-rules.js';

export const PSEUDONYM_DIGITS = 20;

interface Table {
  readonly schema: string;
  readonly table: string;
}
type Rules = TableRules['columns'];

/**
 * Replaces what people have entered, in the transaction of the caller.
 *
 * @returns how many rows each table of schema public holds
 * @throws ProvisionError that names the table, and the column where one rule alone fails
 */
export async function sanitise(client: Client, rules: readonly TableRules[]): Promise<Record<string, number>> {
  await client.query(SALT);
  const counts: Record<string, number> = {};
  for (const { columns, ...table } of rules) {
    if (!hasChange(columns) || !(await exists(client, table))) continue;
    const rows = await change(client, table, columns);
    if (table.schema === 'public') counts[table.table] = rows;
  }
  return counts;
}

/** The statement that replaces the values of a table. */
export function describeChange(table: Table, rules: Rules): string {
  const changes = Object.entries(rules).flatMap(([column, rule]) => describeAssignment(escapeIdentifier(column), rule));
  return `UPDATE ${nameTable(table)} SET ${changes.join(', ')}`;
}

export function nameTable({ schema, table }: Table): string {
  return `${escapeIdentifier(schema)}.${escapeIdentifier(table)}`;
}

function describeAssignment(name: string, rule: ColumnRule): string[] {
  if (rule === 'keep') return [];
  if ('value' in rule) return [`${name} = ${rule.value}`];
  const salted = `pg_catalog.current_setting('refresh.salt', true) || ${name}::text`;
  const hash = `pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(${salted}, 'UTF8')), 'hex')`;
  const pseudonym = `${escapeLiteral(rule.pseudonym)} || pg_catalog.substr(${hash}, 1, ${PSEUDONYM_DIGITS})`;
  return [`${name} = CASE WHEN ${name} IS NOT NULL THEN ${pseudonym} END`];
}

const hasChange = (rules: Rules): boolean => Object.values(rules).some((rule) => rule !== 'keep');

async function exists(client: Client, table: Table): Promise<boolean> {
  const { rows } = await client.query('SELECT FROM pg_catalog.pg_class WHERE oid = pg_catalog.to_regclass($1)', [
    nameTable(table),
  ]);
  return rows.length > 0;
}

async function change(client: Client, table: Table, rules: Rules): Promise<number> {
  await client.query('SAVEPOINT change');
  try {
    return (await client.query(describeChange(table, rules))).rowCount ?? 0;
  } catch (error) {
    const column = await findFailing(client, table, rules);
    const where = [...(table.schema === 'public' ? [] : [table.schema]), table.table, ...column].join('.');
    throw new ProvisionError(
      `${where}: its rows could not be replaced: ${describeError(error)}; expected a rule that fits every row\n` +
        '  correct its rule in libs/model/src/columns.ts; the copy is as it was',
      { cause: error },
    );
  }
}

/** Tries each rule by itself. @returns no name where only the rules together fail */
async function findFailing(client: Client, table: Table, rules: Rules): Promise<string[]> {
  for (const [column, rule] of Object.entries(rules)) {
    await client.query('ROLLBACK TO SAVEPOINT change');
    if (rule === 'keep') continue;
    const isFine = await client.query(describeChange(table, { [column]: rule })).then(
      () => true,
      () => false,
    );
    if (!isFine) return [column];
  }
  return [];
}

/** A message about a constraint holds names only; others may quote a value of the row. */
function describeError(error: unknown): string {
  if (!(error instanceof DatabaseError)) return (error as Error).message;
  return error.code?.startsWith('23') ? error.message : `PostgreSQL error ${error.code ?? 'without a code'}`;
}

/** Made by the server and held by the transaction: it appears in no statement, log or statistics view. */
const SALT = `
  SELECT pg_catalog.set_config('refresh.salt',
    pg_catalog.concat(pg_catalog.gen_random_uuid(), pg_catalog.gen_random_uuid()), true)`;
