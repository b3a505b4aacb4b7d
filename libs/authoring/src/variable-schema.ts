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
  /** Deployed environments require it; development and testing have a default. */
  readonly isRequired: boolean;
  /** Of a variable that is not secret. */
  readonly example?: string | undefined;
  /** Other programs than the API alone. */
  readonly programs?: readonly string[] | undefined;
}

/** Inserts the entry after the last variable of its group. */
export function addToSchema(source: string, entries: readonly SchemaEntry[], draft: EntryDraft): string {
  const last = entries.findLast(({ group }) => group === draft.group) ?? entries.at(-1);
  const meta = [`group: ${quote(draft.group)}`, `description: ${quote(draft.description)}`];
  if (draft.programs) meta.push(`programs: [${draft.programs.map(quote).join(', ')}]`);
  const example = draft.isSecret ? 'changethis' : draft.example;
  if (example !== undefined) meta.push(`example: ${quote(example)}`);
  if (draft.isRequired) meta.push(createLocalDefault(draft), 'required: DEPLOYED');
  if (draft.isSecret) meta.push('secret: true');
  const type = `${draft.isSecret ? 'secret' : 'text'}()${draft.isRequired ? '' : '.optional()'}`;
  const text = `,\n  ${draft.name}: ${type}.register(variables, {\n${meta.join(',\n')} })`;
  return insert(source, [{ at: last?.end ?? 0, text }]);
}

function createLocalDefault({ name, isSecret, example = '' }: EntryDraft): string {
  const textOf = (environment: string) => quote(isSecret ? createKey(name, environment) : example);
  return `default: { development: ${textOf('Development')}, testing: ${textOf('Testing')} }`;
}

/** Says that it is not a secret, and is valid base64 of 24 bytes or more, as the key of a webhook must be. */
function createKey(name: string, environment: string): string {
  const words = name.toLowerCase().split('_');
  const text = `notSecret${words.map((word) => word.replace(/^./, (letter) => letter.toUpperCase())).join('')}Of${environment}`;
  return text.padEnd(Math.max(32, Math.ceil(text.length / 4) * 4), '0');
}

function quote(text: string): string {
  return `'${text.replace(/['\\]/g, '\\$&')}'`;
}
