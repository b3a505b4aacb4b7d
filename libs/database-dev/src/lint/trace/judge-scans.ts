import { BLOCKS_WRITES } from '@airlock/database/model';
import type { ParsedStatement } from '../syntax/statement.js';
import type { StatementTrace, Traced } from './statement-trace.js';

/** Rules of the syntax that already report the effect of a trace. All other findings are reported in addition to it. */
const REWRITE_RULES = [
  'change-column-type',
  'volatile-default',
  'add-stored-generated',
  'add-identity',
  'add-domain-column',
  'set-tablespace',
  'set-logged',
  'set-unlogged',
  'vacuum-full',
  'cluster',
  'truncate',
  'reindex',
  'refresh-view',
];
const SCAN_RULES = [
  ...REWRITE_RULES,
  'rewrites-table',
  'set-not-null',
  'add-not-null-validating',
  'add-check',
  'attach-partition',
  'validate-with-add',
];

/** Outside a transaction the new index is written beside the old one, which stays in use. */
export function judgeRewrites({ migration }: ParsedStatement, { trace, said }: Traced): (readonly string[])[] {
  const isSaid = said.some((rule) => REWRITE_RULES.includes(rule));
  return isSaid || !migration.transactional || trace.rewritten.length === 0 ? [] : [trace.rewritten];
}

export function judgeScans(statement: ParsedStatement, { trace, said, heldTables }: Traced): (readonly string[])[] {
  if (trace.rewritten.length > 0 || said.some((rule) => SCAN_RULES.includes(rule))) return [];
  const blocked = scannedTables(statement, trace).filter((table) =>
    heldTables.some((lock) => lock.table === table && BLOCKS_WRITES.has(lock.mode)),
  );
  return blocked.length === 0 || !statement.migration.transactional ? [] : [blocked];
}

/** The server reports no scan of a domain's columns, but it locks only the tables that it then reads. */
export function scannedTables({ node }: ParsedStatement, { scanned, locks }: StatementTrace): readonly string[] {
  return 'AlterDomainStmt' in node
    ? locks.filter(({ mode }) => BLOCKS_WRITES.has(mode)).map(({ table }) => table)
    : scanned;
}
