import type { Violation } from '../values/config-error.js';
import type { EnvFile } from './env-files.js';
import { findMisspelt } from '../variables/misspelling.js';
import type { EnvironmentVariables } from '../values/environment-variables.js';
import { quote } from '../values/quote.js';
import { variableNames } from '../variables/schema.js';

/** Finds unknown names that look like a known variable, because the default of that variable would be used silently. */
export function findMisspeltNames(env: EnvironmentVariables, file: EnvFile | undefined): Violation[] {
  const inEnv = Object.keys(env).filter((name) => env[name] !== undefined);
  const named = [
    ...inEnv.map((name) => ({ name, where: 'the process environment' })),
    ...[...(file?.texts.keys() ?? [])].map((name) => ({ name, where: file?.path ?? '' })),
  ];
  return named.flatMap(({ name, where }) => {
    const meant = variableNames.some((known) => name === `${known}_FILE`)
      ? undefined
      : findMisspelt(name, variableNames);
    return meant ? [misspelt(name, where, meant)] : [];
  });
}

function misspelt(name: string, where: string, meant: string): Violation {
  const right = name.toUpperCase().endsWith('_FILE') ? `${meant}_FILE` : meant;
  const shown = /^\w+$/.test(name) ? name : quote(name, []);
  return {
    name: shown,
    problem: `is set in ${where}, and nothing reads it`,
    expected: right,
    fix: `rename it to ${right}, or remove it`,
  };
}
