import type pg from 'pg';
import { IDENTIFIER, parseIdentifier } from '../model/identifier.js';

const CREATE = new RegExp(
  String.raw`^CREATE\s+EXTENSION\s+IF\s+NOT\s+EXISTS\s+(?<name>${IDENTIFIER})(?:\s+WITH)?\s*\bSCHEMA\b\s*(?<schema>${IDENTIFIER})`,
  'iu',
);

/**
 * IF NOT EXISTS silently accepts an extension that an administrator created in another schema.
 *
 * @returns the problem, or undefined
 */
export async function findMisplacedExtension(client: pg.Client, sql: string): Promise<string | undefined> {
  const { name, schema } = CREATE.exec(sql)?.groups ?? {};
  if (name === undefined || schema === undefined) return undefined;
  const { rows } = await client.query<{ schema: string }>(
    'SELECT extnamespace::regnamespace::text AS schema FROM pg_extension WHERE extname = $1 AND extnamespace <> to_regnamespace(quote_ident($2))',
    [parseIdentifier(name), parseIdentifier(schema)],
  );
  return (
    rows[0] &&
    `extension ${name} is in schema ${rows[0].schema} of this database; expected ${schema}\n` +
      `  Ask an administrator to run: ALTER EXTENSION ${name} SET SCHEMA ${schema}`
  );
}
