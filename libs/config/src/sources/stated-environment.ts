/** Determines the environment and its .env file. The caller must set the environment; it is never guessed. */
import type { Violation } from '../values/config-error.js';
import {
  ENVIRONMENTS,
  type Environment,
  environmentsWith,
  isEnvironment,
  listNames,
  traitsOf,
} from '../values/environment.js';
import { examplePathOf } from '../values/example-path.js';
import { type EnvFile, findForbiddenEnvFiles, loadEnvFile } from './env-files.js';
import { collectSecrets } from '../variables/known-secrets.js';
import type { EnvironmentVariables } from '../values/environment-variables.js';
import { quote } from '../values/quote.js';
import type { VariableName } from '../variables/schema.js';

export interface Loading {
  readonly env: EnvironmentVariables;
  readonly cwd: string | undefined;
  readonly violations: Violation[];
  readonly unreadable: Set<VariableName>;
}

const ENVIRONMENT_FIX = 'export ENVIRONMENT=<one of these>; for development `airlock setup` writes a .env that sets it';

/** A file may only set development. For every other environment the caller must set it explicitly. */
export function loadEnvironment({ env, cwd, violations }: Loading): Environment | undefined {
  const stated = env['ENVIRONMENT'];
  if (stated !== undefined) {
    if (isEnvironment(stated)) return stated;
    violations.push(wrongEnvironment(`is ${describeUnknownEnvironment(stated, env)}`));
    return undefined;
  }
  const file = cwd === undefined ? undefined : loadEnvFile(cwd, '.env');
  const inFile = file?.texts.get('ENVIRONMENT');
  if (inFile !== undefined && isEnvironment(inFile) && traitsOf(inFile).mayBeStatedByFile) return inFile;
  violations.push(...(file?.violations ?? []));
  const shown =
    inFile === undefined
      ? ''
      : describeUnknownEnvironment(inFile, { ...env, ...Object.fromEntries(file?.texts ?? []) });
  const statable = listNames(environmentsWith('mayBeStatedByFile'), 'and');
  const alone = `it in the process environment; a file may set only ${statable}`;
  violations.push(
    inFile === undefined ? wrongEnvironment('is not set') : wrongEnvironment(`is set only in .env, as ${shown}`, alone),
  );
  return undefined;
}

function wrongEnvironment(problem: string, expected = listNames(ENVIRONMENTS)): Violation {
  return { name: 'ENVIRONMENT', problem, expected, fix: ENVIRONMENT_FIX };
}

/** Names of environments are not secret, although a secret address may contain one. */
function describeUnknownEnvironment(text: string, texts: EnvironmentVariables): string {
  if (isEnvironment(text)) return JSON.stringify(text);
  const hint = /[^\x00-\x7f]/.test(text) ? ', which contains a look-alike letter' : '';
  return `${quote(text, collectSecrets(texts))}${hint}`;
}

/** The .env file of this environment, if it may have one. */
export function loadFileFor(environment: Environment, { env, cwd, violations }: Loading): EnvFile | undefined {
  if (cwd === undefined) return undefined;
  if (!traitsOf(environment).readsEnvFiles) {
    violations.push(...findForbiddenEnvFiles(cwd, environment));
    return undefined;
  }
  const file = loadEnvFile(cwd, `.env.${environment}`) ?? loadEnvFile(cwd, '.env');
  if (!file) return undefined;
  if (file.texts.size === 0 && file.violations.length > 0) {
    violations.push(...file.violations);
    return undefined;
  }
  const stated = file.texts.get('ENVIRONMENT');
  const isUnclaimed = file.path === '.env' && !traitsOf(environment).mayBeStatedByFile;
  const isForeign = stated === undefined ? isUnclaimed : stated !== environment;
  if (!isForeign) {
    violations.push(...file.violations);
    return file;
  }
  const said =
    stated === undefined
      ? 'nothing'
      : describeUnknownEnvironment(stated, { ...env, ...Object.fromEntries(file.texts) });
  violations.push({
    name: 'ENVIRONMENT',
    problem: `is ${environment}, but ${file.path} says ${said}`,
    expected: `a file with ENVIRONMENT=${environment}`,
    fix: describeFileFix(environment, file.path),
  });
  return undefined;
}

function describeFileFix(environment: Environment, path: string): string {
  if (path !== '.env') return `correct ENVIRONMENT in ${path}, and check which environment its values belong to`;
  return `cp ${examplePathOf(environment)} .env.${environment}, and fill it in; do not change .env`;
}
