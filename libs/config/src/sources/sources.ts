/**
 * Finds the text of each variable: in the process environment, a secret file, or a .env file if the environment reads
 * one.
 */
import { MAX_CERTIFICATES_BYTES } from '../values/certificates.js';
import type { Violation } from '../values/config-error.js';
import type { Environment } from '../values/environment.js';
import type { EnvFile } from './env-files.js';
import type { EnvironmentVariables } from '../values/environment-variables.js';
import type { ProgramName } from '../programs/programs.js';
import { isRead, metaOf, variableNames, type VariableName } from '../variables/schema.js';
import { loadSecretFile, MAX_SECRET_BYTES } from './secret-file.js';
import { loadEnvironment, loadFileFor, type Loading } from './stated-environment.js';
import { findMisspeltNames } from './unknown-names.js';

export interface Source {
  readonly kind: 'environment' | 'file' | 'secret file' | 'default';
  /** The path, if the source is a file. */
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
  /** Variables whose file could not be read. The violations include it. */
  readonly unreadable: ReadonlySet<VariableName>;
  readonly violations: readonly Violation[];
  readonly warnings: readonly string[];
}

export function loadSources(env: EnvironmentVariables, cwd: string | undefined, program?: ProgramName): Sources {
  const own: Loading = { env, cwd, violations: [], unreadable: new Set() };
  const environment = loadEnvironment(own);
  const file = environment && loadFileFor(environment, own);
  const texts = new Map<VariableName, SourcedText>();
  for (const name of variableNames.filter((name) => isRead(name, program))) {
    const chosen = choose(name, file, own);
    if (chosen) texts.set(name, chosen);
  }
  if (environment)
    texts.set('ENVIRONMENT', texts.get('ENVIRONMENT') ?? { text: environment, source: { kind: 'file', path: '.env' } });
  own.violations.push(...findMisspeltNames(env, file));
  const { violations, unreadable } = own;
  return { environment, file: file?.path, texts, unreadable, violations, warnings: file?.warnings ?? [] };
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
  const maxBytes = metaOf(name).file ? MAX_CERTIFICATES_BYTES : MAX_SECRET_BYTES;
  const content = loadSecretFile({ path, cwd, name: `${name}_FILE`, maxBytes });
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

/** The process environment overrides the file. */
function pick(name: string, fromEnv: string | undefined, file: EnvFile | undefined): SourcedText | undefined {
  if (fromEnv !== undefined) return { text: fromEnv, source: { kind: 'environment' } };
  const text = file?.texts.get(name);
  return text === undefined || !file ? undefined : { text, source: { kind: 'file', path: file.path } };
}

function differs(a: string | undefined, b: string | undefined): boolean {
  return a !== undefined && b !== undefined && a !== b;
}

function notFromFile(name: string, fileName: string): Violation {
  const expected = `${name} , because only secrets and certificates are read from files`;
  return { name: fileName, problem: 'is set', expected, fix: `set ${name}, and remove ${fileName}` };
}

function twice(name: string, where: string): Violation {
  return {
    name,
    problem: `is set in ${where}`,
    expected: 'one source',
    fix: `unset ${name} in the wrong source`,
  };
}
