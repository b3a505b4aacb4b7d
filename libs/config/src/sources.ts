/** Where each variable's text comes from: the process environment, a secret file, or a .env file where one may be. */
import type { Violation } from './config-error.js';
import { ENVIRONMENTS, type Environment } from './environment.js';
import { type EnvFile, findForbiddenEnvFiles, loadEnvFile } from './env-files.js';
import { collectSecrets } from './known-secrets.js';
import { findMisspelt } from './misspelling.js';
import type { EnvironmentVariables } from './process-environment.js';
import { quote } from './quote.js';
import { metaOf, variableNames, type VariableName } from './schema.js';
import { loadSecretFile } from './secret-file.js';

export interface Source {
  readonly kind: 'environment' | 'file' | 'secret file' | 'default';
  /** The file's path, where the source is one. */
  readonly path?: string;
}

export interface SourcedText {
  readonly text: string;
  readonly source: Source;
}

export interface Sources {
  readonly environment: Environment | undefined;
  /** The .env file that was used. */
  readonly file: string | undefined;
  readonly texts: ReadonlyMap<VariableName, SourcedText>;
  /** Given by a file that could not be read; its violation is among the others. */
  readonly unreadable: ReadonlySet<VariableName>;
  readonly violations: readonly Violation[];
  readonly warnings: readonly string[];
}

export function loadSources(env: EnvironmentVariables, cwd: string | undefined): Sources {
  const own: Loading = { env, cwd, violations: [], unreadable: new Set() };
  const environment = loadEnvironment(own);
  const file = environment && loadFileFor(environment, own);
  const texts = new Map<VariableName, SourcedText>();
  for (const name of variableNames) {
    const chosen = choose(name, file, own);
    if (chosen) texts.set(name, chosen);
  }
  if (environment)
    texts.set('ENVIRONMENT', texts.get('ENVIRONMENT') ?? { text: environment, source: { kind: 'file', path: '.env' } });
  own.violations.push(...findMisspeltNames(env, file));
  const { violations, unreadable } = own;
  return { environment, file: file?.path, texts, unreadable, violations, warnings: file?.warnings ?? [] };
}

interface Loading {
  readonly env: EnvironmentVariables;
  readonly cwd: string | undefined;
  readonly violations: Violation[];
  readonly unreadable: Set<VariableName>;
}

const ENVIRONMENT_MEND =
  'export ENVIRONMENT=<one of these>; for development `airlock setup` writes a .env that states it';

/** Only development may be stated by a file: in any other place the caller has to say what it means to touch. */
function loadEnvironment({ env, cwd, violations }: Loading): Environment | undefined {
  const stated = env['ENVIRONMENT'];
  const expected = ENVIRONMENTS.join(', ').replace(/, (\w+)$/, ' or $1');
  if (stated !== undefined) {
    const known = ENVIRONMENTS.find((environment) => environment === stated);
    if (!known)
      violations.push({
        name: 'ENVIRONMENT',
        problem: `is ${describeStranger(stated, env)}`,
        expected,
        mend: ENVIRONMENT_MEND,
      });
    return known;
  }
  const file = cwd === undefined ? undefined : loadEnvFile(cwd, '.env');
  const inFile = file?.texts.get('ENVIRONMENT');
  if (inFile === 'development') return inFile;
  violations.push(...(file?.violations ?? []));
  const problem =
    inFile === undefined
      ? 'is not set'
      : `is stated only by .env, as ${describeStranger(inFile, { ...env, ...Object.fromEntries(file?.texts ?? []) })}`;
  const wanted =
    inFile === undefined ? expected : 'the process environment to state it; a file may state development alone';
  violations.push({ name: 'ENVIRONMENT', problem, expected: wanted, mend: ENVIRONMENT_MEND });
  return undefined;
}

function describeStranger(text: string, texts: EnvironmentVariables): string {
  const hint = /[^\x00-\x7f]/.test(text) ? ', which holds a letter that only looks right' : '';
  return `${quote(text, collectSecrets(texts))}${hint}`;
}

function loadFileFor(environment: Environment, { env, cwd, violations }: Loading): EnvFile | undefined {
  if (cwd === undefined) return undefined;
  if (environment !== 'development' && environment !== 'testing') {
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
  const isForeign = stated === undefined ? environment === 'testing' && file.path === '.env' : stated !== environment;
  if (!isForeign) {
    violations.push(...file.violations);
    return file;
  }
  violations.push({
    name: 'ENVIRONMENT',
    problem: `is ${environment}, but ${file.path} says ${stated === undefined ? 'nothing' : describeStranger(stated, { ...env, ...Object.fromEntries(file.texts) })}`,
    expected: `a file that says ENVIRONMENT=${environment}`,
    mend: foreignFileMend(environment, file.path),
  });
  return undefined;
}

function foreignFileMend(environment: Environment, path: string): string {
  if (path !== '.env') return `correct ENVIRONMENT in ${path}, and look whose values the file holds`;
  const example = environment === 'development' ? '.env.example' : `docker/env/${environment}.env.example`;
  return `cp ${example} .env.${environment}, and fill it in; .env stays as it is`;
}

function choose(name: VariableName, file: EnvFile | undefined, loading: Loading): SourcedText | undefined {
  const { env, violations } = loading;
  const fileName = `${name}_FILE`;
  const direct = pick(name, env[name], file);
  const byPath = pick(fileName, env[fileName], file);
  if (byPath && !mayBeFile(name)) {
    violations.push(notFromFile(name, fileName));
    return direct;
  }
  if (direct && byPath) violations.push(twice(name, `${describeSource(direct.source)} and as ${fileName}`));
  const isInConflict = [name, fileName].some((key) => differs(env[key], file?.texts.get(key)));
  if (metaOf(name).location && isInConflict) {
    violations.push(twice(name, `the process environment and in ${file?.path}, with different values`));
  }
  return direct ?? (byPath && loadByPath(name, byPath.text, loading));
}

function loadByPath(
  name: VariableName,
  path: string,
  { cwd, violations, unreadable }: Loading,
): SourcedText | undefined {
  const content = loadSecretFile(path, cwd, `${name}_FILE`);
  if (!('problem' in content)) return { text: content.text, source: { kind: 'secret file', path } };
  violations.push(content);
  unreadable.add(name);
  return undefined;
}

export function mayBeFile(name: VariableName): boolean {
  return metaOf(name).secret === true || metaOf(name).file === true;
}

export function describeSource({ kind, path }: Source): string {
  if (kind === 'environment') return 'the process environment';
  return path === undefined ? kind : `${kind} ${path}`;
}

/** The process environment wins over the file. */
function pick(name: string, fromEnv: string | undefined, file: EnvFile | undefined): SourcedText | undefined {
  if (fromEnv !== undefined) return { text: fromEnv, source: { kind: 'environment' } };
  const text = file?.texts.get(name);
  return text === undefined || !file ? undefined : { text, source: { kind: 'file', path: file.path } };
}

function differs(a: string | undefined, b: string | undefined): boolean {
  return a !== undefined && b !== undefined && a !== b;
}

function notFromFile(name: string, fileName: string): Violation {
  const expected = `${name} itself; only secrets and certificates are read from files`;
  return { name: fileName, problem: 'is set', expected, mend: `set ${name}, and remove ${fileName}` };
}

function twice(name: string, where: string): Violation {
  return {
    name,
    problem: `is set in ${where}`,
    expected: 'one source',
    mend: `unset ${name} in the one that is wrong`,
  };
}

function findMisspeltNames(env: EnvironmentVariables, file: EnvFile | undefined): Violation[] {
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
    mend: `rename it to ${right}, or remove it`,
  };
}
