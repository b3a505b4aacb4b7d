import type { z } from 'zod';
import type { Violation } from './config-error.js';
import type { Environment } from './environment.js';
import { metaOf, schema, textFor, variableNames, type Values, type VariableName } from './schema.js';

export type Texts = Readonly<Partial<Record<VariableName, string>>>;

/** Reads each text as its type. What is missing takes its default, or is a violation where it is required. */
export function validate(
  texts: Texts,
  environment: Environment,
): { values: Values | undefined; violations: Violation[] } {
  const missing = variableNames.filter((name) => isMissing(name, texts, environment));
  const result = schema.safeParse(withDefaults(texts, environment));
  const wrong = (result.error?.issues ?? []).filter((issue) => !missing.includes(issue.path[0] as VariableName));
  const violations = [
    ...missing.map((name) => missingViolation(name, environment)),
    ...wrong.map((issue) => wrongViolation(issue, texts)),
  ];
  return { values: violations.length === 0 ? result.data : undefined, violations };
}

export function defaultText(name: VariableName, environment: Environment): string | undefined {
  return textFor(metaOf(name).default, environment);
}

function withDefaults(texts: Texts, environment: Environment): Texts {
  return Object.fromEntries(variableNames.map((name) => [name, texts[name] ?? defaultText(name, environment)]));
}

function isMissing(name: VariableName, texts: Texts, environment: Environment): boolean {
  return texts[name] === undefined && (metaOf(name).required ?? []).includes(environment);
}

function missingViolation(name: VariableName, environment: Environment): Violation {
  const meta = metaOf(name);
  return {
    name,
    problem: `is not set, and ${environment} needs it`,
    expected: meta.secret ? `a secret of your own` : `a value such as ${textFor(meta.example, environment) ?? ''}`,
    mend: `set ${name}${meta.secret ? ` or ${name}_FILE` : ''}: ${meta.description}`,
  };
}

function wrongViolation(issue: z.core.$ZodIssue, texts: Texts): Violation {
  const name = issue.path[0] as VariableName;
  const meta = metaOf(name);
  const shown = meta.secret ? 'is not valid' : `is ${JSON.stringify(texts[name])}`;
  return {
    name,
    problem: issue.code === 'custom' && issue.message !== 'Invalid input' ? issue.message : shown,
    expected: expectedBy(issue),
    mend: `set ${name}: ${meta.description}`,
  };
}

function expectedBy(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_value') return issue.values.join(', ').replace(/, ([^,]*)$/, ' or $1');
  if (issue.code === 'custom') return String(issue.params?.['expected']);
  return 'a text';
}
