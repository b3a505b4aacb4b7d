import { IDENTIFIER, parseIdentifier } from './identifier.js';

/** The index that a statement outside a transaction builds: CREATE INDEX CONCURRENTLY or REINDEX INDEX CONCURRENTLY. */
export interface IndexBuild {
  readonly schema: string;
  readonly index: string;
}

const CREATE = new RegExp(
  String.raw`^CREATE\s+(?:UNIQUE\s+)?INDEX\s+CONCURRENTLY\s+IF\s+NOT\s+EXISTS\s+(?<index>${IDENTIFIER})\s*\bON\b\s*(?:ONLY\b\s*)?(?<schema>${IDENTIFIER})\s*\.\s*${IDENTIFIER}`,
  'iu',
);
const REINDEX = new RegExp(
  String.raw`^REINDEX\s+INDEX\s+CONCURRENTLY\s+(?<schema>${IDENTIFIER})\s*\.\s*(?<index>${IDENTIFIER})`,
  'iu',
);
const DROP = new RegExp(
  String.raw`^DROP\s+INDEX\s+CONCURRENTLY\s+IF\s+EXISTS\s+${IDENTIFIER}\s*\.\s*${IDENTIFIER}`,
  'iu',
);
const REPEATABLE = [CREATE, REINDEX, DROP, /^(?:ANALYZE|VACUUM)\b/i];

/** Whether the statement may run again after an interruption that left it applied but unrecorded. */
export function isRepeatable(sql: string): boolean {
  return REPEATABLE.some((form) => form.test(sql));
}

interface Steps {
  readonly transactional: boolean;
  readonly statements: readonly { readonly sql: string }[];
}

export function parseIndexBuild({ transactional, statements }: Steps): IndexBuild | undefined {
  if (transactional) return undefined;
  const sql = statements[0]?.sql ?? '';
  const { schema, index } = (CREATE.exec(sql) ?? REINDEX.exec(sql))?.groups ?? {};
  return schema === undefined || index === undefined
    ? undefined
    : { schema: parseIdentifier(schema), index: parseIdentifier(index) };
}
