import { readFileSync, writeFileSync } from 'node:fs';
import type { Model } from '../model/product-model.js';

const HEADER = `-- The schema that the migrations create, read from a database that ran them. For review and comparison; never run it.
-- Update it with: airlock db drift --template --write`;

/** The schema that all migrations together create. It is reviewed like code and compared with every database. */
export function loadSchemaFile(model: Pick<Model, 'folder'>): string[] {
  return parseSchema(readFileSync(nameFile(model), 'utf8'));
}

export function saveSchemaFile(model: Pick<Model, 'folder'>, statements: readonly string[]): void {
  writeFileSync(nameFile(model), `${HEADER}\n${statements.join('\n')}\n`);
}

/** A line that begins with a space continues the statement before it. */
export function parseSchema(text: string): string[] {
  return text
    .trimEnd()
    .split(/\n(?! )/)
    .filter((statement) => !statement.startsWith('--'));
}

function nameFile({ folder }: Pick<Model, 'folder'>): URL {
  return new URL('schema.sql', folder);
}
