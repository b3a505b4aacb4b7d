import ts from 'typescript';
import { findProperty, insert } from './syntax.js';

export const SCHEMA = 'libs/config/src/variables/schema.ts';

/** An entry of the schema. */
export interface SchemaEntry {
  readonly name: string;
  readonly group: string;
  readonly isSecret: boolean;
  /** The end of the entry in the source. */
  readonly end: number;
}

/** The properties of `schema = z.object({…})`. */
export function listEntries(source: string): SchemaEntry[] {
  const file = ts.createSourceFile(SCHEMA, source, ts.ScriptTarget.Latest, true);
  const properties = findProperty(file, 'ENVIRONMENT')?.parent.properties ?? [];
  return properties.map((property) => {
    const text = property.getText(file);
    const [, group = ''] = /group: '([^']+)'/.exec(text) ?? [];
    const isSecret = /\bsecret: true\b/.test(text);
    return { name: property.name?.getText(file) ?? '', group, isSecret, end: property.end };
  });
}

export interface EntryDraft {
  readonly name: string;
  readonly group: string;
  readonly description: string;
  readonly isSecret: boolean;
}

/** Inserts the entry after the last variable of its group. It is optional, so every environment stays valid. */
export function addToSchema(source: string, entries: readonly SchemaEntry[], draft: EntryDraft): string {
  const last = entries.findLast(({ group }) => group === draft.group) ?? entries.at(-1);
  const meta = [`group: ${quote(draft.group)}`, `description: ${quote(draft.description)}`];
  if (draft.isSecret) meta.push(`example: 'changethis'`, 'secret: true');
  const type = draft.isSecret ? 'secret' : 'text';
  const text = `,\n  ${draft.name}: ${type}().optional().register(variables, {\n${meta.join(',\n')} })`;
  return insert(source, [{ at: last?.end ?? 0, text }]);
}

function quote(text: string): string {
  return `'${text.replace(/['\\]/g, '\\$&')}'`;
}
