import { readFileSync, writeFileSync } from 'node:fs';

/** The schema that all migrations together make: reviewed like code, and compared with every database. */
export const SCHEMA_FILE = new URL('./schema.sql', import.meta.url);

const HEADER = `-- What the migrations make, read back from a database that ran them. Not to be run: to be read and compared.
-- Mend it with: airlock db drift --template --write`;

export function loadSchemaFile(): string[] {
  return parseSchema(readFileSync(SCHEMA_FILE, 'utf8'));
}

export function saveSchemaFile(statements: readonly string[]): void {
  writeFileSync(SCHEMA_FILE, `${HEADER}\n${statements.join('\n')}\n`);
}

/** A line that begins with a space continues the statement before it. */
export function parseSchema(text: string): string[] {
  return text
    .trimEnd()
    .split(/\n(?! )/)
    .filter((statement) => !statement.startsWith('--'));
}
