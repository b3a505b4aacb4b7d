import type { ParsedStatement } from '../syntax/statement.js';
import { dataTargets } from '../syntax/targets.js';
import type { StatementTrace, WrittenTable } from './statement-trace.js';

/** Rows that the statement wrote in tables, or in ways, that its text does not show. */
export function hiddenChanges(statement: ParsedStatement, { written, ancestors }: StatementTrace): WrittenTable[] {
  const targets = dataTargets(statement);
  return written.flatMap((rows) => {
    const shown = [rows.table, ...(ancestors[rows.table] ?? [])].flatMap((name) => targets.get(name) ?? []);
    const hidden = {
      table: rows.table,
      inserted: shown.includes('inserted') ? 0 : rows.inserted,
      updated: shown.includes('updated') ? 0 : rows.updated,
      deleted: shown.includes('deleted') ? 0 : rows.deleted,
    };
    return hidden.inserted + hidden.updated + hidden.deleted > 0 ? [hidden] : [];
  });
}
