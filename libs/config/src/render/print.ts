import { describeDatabase, type DatabaseAddress } from '../values/database-url.js';
import type { Inspection } from '../load/inspect-config.js';
import { metaOf, variableNames, type VariableName } from '../variables/schema.js';
import { REDACTED } from '../values/secret-value.js';
import { defaultText } from '../variables/validate.js';

export interface PrintedVariable {
  readonly name: VariableName;
  /** `null` if it is not set. An invalid text is not shown. */
  readonly value: string | null;
  readonly source: 'default' | 'environment' | 'file' | 'secret file' | 'not set';
  readonly path?: string;
}

/** Every variable with its value and source. Secrets are only shown as set. */
export function printVariables(inspection: Inspection): PrintedVariable[] {
  return variableNames.map((name) => printVariable(name, inspection));
}

/** Formats the variables in three columns. */
export function renderVariables(inspection: Inspection): string {
  const rows = printVariables(inspection).map(({ name, value, source, path }) => [
    name,
    value ?? '-',
    path ? `${source} ${path}` : source,
  ]);
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function printVariable(name: VariableName, { environment, texts, values }: Inspection): PrintedVariable {
  const given = texts.get(name);
  const text = given?.text ?? (environment && defaultText(name, environment));
  if (text === undefined) return { name, value: null, source: 'not set' };
  const { kind: source, path } = given?.source ?? { kind: 'default' as const };
  return {
    name,
    value: show(name, text, values[name]),
    source,
    ...(path === undefined ? {} : { path: path.replace(/[^\x20-\x7e]/g, '?') }),
  };
}

function show(name: VariableName, text: string, value: unknown): string {
  if (value === undefined) return '(not valid)';
  if (isDatabaseAddress(value)) return describeDatabase(value);
  if (metaOf(name).secret) return REDACTED;
  return text.includes('\n') ? `${text.slice(0, text.indexOf('\n'))} (${text.length} characters)` : text;
}

function isDatabaseAddress(value: unknown): value is DatabaseAddress {
  return typeof value === 'object' && value !== null && 'sslMode' in value;
}
