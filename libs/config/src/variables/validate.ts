import type { z } from 'zod';
import type { Violation } from '../values/config-error.js';
import type { EnvironmentVariables } from '../values/environment-variables.js';
import type { Environment } from '../values/environment.js';
import { quote, type KnownSecret } from '../values/quote.js';
import { collectSecrets } from './known-secrets.js';
import { type Program, type ProgramName, PROGRAMS } from '../programs/programs.js';
import {
  isRead,
  metaOf,
  schema,
  textFor,
  variableNames,
  type Texts,
  type Values,
  type VariableName,
} from './schema.js';

export interface Validation {
  /** Every valid value, so that rules about combinations can be checked even if other values are invalid. */
  readonly values: Partial<Values>;
  readonly violations: readonly Violation[];
}

export interface Validated {
  readonly texts: Texts;
  readonly environment: Environment;
  readonly program?: ProgramName | undefined;
  /** The process environment. No message shows its secrets. */
  readonly env: EnvironmentVariables;
}

/** Parses each text by its type. A missing variable gets its default, or causes a violation if it is required. */
export function validate({ texts, environment, program, env }: Validated): Validation {
  // Secrets of other programs must not be shown either.
  const secrets = collectSecrets({ ...env, ...texts });
  const values: Record<string, unknown> = {};
  const violations: Violation[] = [];
  for (const name of variableNames) {
    const text = texts[name] ?? defaultOf(name, program) ?? defaultText(name, environment);
    const result = text === undefined ? missing(name, { environment, program }) : parse(name, text, secrets);
    if ('violations' in result) violations.push(...result.violations);
    else values[name] = result.value;
  }
  return { values, violations };
}

export function defaultText(name: VariableName, environment: Environment): string | undefined {
  return textFor(metaOf(name).default, environment);
}

function defaultOf(name: VariableName, program: ProgramName | undefined): string | undefined {
  const { defaults }: Program = PROGRAMS[program ?? 'api'];
  return defaults?.[name];
}

/** The expected text of a variable, taken from its error for an impossible text. */
export function describeExpected(name: VariableName): string {
  const field: z.ZodType = schema.shape[name];
  const issue = field.safeParse('\0').error?.issues[0];
  return issue ? expectedBy(issue) : '';
}

type Result = { readonly value: unknown } | { readonly violations: readonly Violation[] };

interface Reader {
  readonly environment: Environment;
  readonly program: ProgramName | undefined;
}

function missing(name: VariableName, { environment, program }: Reader): Result {
  const meta = metaOf(name);
  const needs: readonly string[] = program ? PROGRAMS[program].needs : [];
  const isRequired = needs.includes(name) || meta.required?.includes(environment);
  if (!isRequired || !isRead(name, program)) return { value: undefined };
  const example = textFor(meta.example, environment) ?? '';
  const violation = {
    name,
    problem: `is not set, but ${needs.includes(name) ? program : environment} requires it`,
    expected: meta.secret ? 'your own value' : `a value such as ${example}`,
    fix: `set ${name}${meta.secret ? ` or ${name}_FILE` : ''}. ${meta.description}`,
  };
  return { violations: [violation] };
}

function parse(name: VariableName, text: string, secrets: readonly KnownSecret<VariableName>[]): Result {
  const exposed = metaOf(name).secret ? undefined : secrets.find((secret) => isExposed(secret.text, text));
  if (exposed) return { violations: [exposure(name, exposed.name)] };
  const field: z.ZodType = schema.shape[name];
  const result = field.safeParse(text);
  if (result.success) return { value: result.data };
  const isPadded = text !== text.trim() && field.safeParse(text.trim()).success;
  const wrong = `${describeWrong(text, metaOf(name).secret ? undefined : secrets)}${isPadded ? ', which has white space around it' : ''}`;
  const fix =
    text === ''
      ? `set ${name}, or remove it; an empty value does not mean unset`
      : `set ${name}. ${metaOf(name).description}`;
  const violations = result.error.issues.map((issue) => ({
    name,
    problem: isPadded ? wrong : (problemOf(issue) ?? wrong),
    expected: expectedBy(issue),
    fix,
  }));
  return { violations };
}

/** Shorter secrets, such as the passwords of tests, could occur in other values by chance. */
const MIN_TELLING = 12;

function isExposed(secret: string, text: string): boolean {
  return secret.length >= MIN_TELLING && text.includes(secret);
}

function exposure(name: VariableName, secret: VariableName): Violation {
  return {
    name,
    problem: `holds the value of ${secret}, which is a secret`,
    expected: 'a value that is not secret',
    fix: `correct ${name}, and replace the secret if anyone has seen it`,
  };
}

/** @param secrets undefined if the text itself is a secret */
function describeWrong(text: string, secrets: readonly KnownSecret<VariableName>[] | undefined): string {
  if (text === '') return 'is empty';
  return secrets ? `is ${quote(text, secrets)}` : 'is not valid; its value is not shown';
}

function problemOf(issue: z.core.$ZodIssue): string | undefined {
  return issue.code === 'custom' ? (issue.params?.['problem'] as string | undefined) : undefined;
}

function expectedBy(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_value') return issue.values.join(', ').replace(/, ([^,]*)$/, ' or $1');
  return issue.code === 'custom' ? String(issue.params?.['expected']) : 'a text';
}
