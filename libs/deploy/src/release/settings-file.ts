import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { findMisspelt, FIXED_IN_STACKS } from '@airlock/config';
import { DeployError } from '../engine/deploy-error.js';
import { findComposeNames, isReadableFile } from './compose-names.js';

export interface StackFiles {
  /** The Compose files. */
  readonly files: readonly string[];
  readonly envFiles: readonly string[];
}

/**
 * A setting that no service gets would be ignored silently. `docker/compose` has the same check for hosts without Node.
 *
 * @throws DeployError with each line; never with a value
 */
export function assertSettingsReachStack({ files, envFiles }: StackFiles): void {
  // Compose itself reports a file that it cannot read.
  if (!files.every(isReadableFile)) return;
  const used = findComposeNames(files);
  // docker/pin-images writes the lock, which also has the image that releases are built on.
  const written = envFiles.filter((file) => basename(file) !== 'images.lock' && isReadableFile(file));
  const problems = written.flatMap(readSettings).flatMap(({ name, place }) => {
    const problem = findProblem(name, used);
    return problem === undefined ? [] : [`${place}: sets ${problem}`];
  });
  if (problems.length === 0) return;
  throw new DeployError({
    text: problems.join('\n'),
    fix: 'correct or remove these lines; docs/docker.md lists the variables that may be set',
  });
}

function findProblem(name: string, used: ReadonlySet<string>): string | undefined {
  const fixed = new Map(Object.entries(FIXED_IN_STACKS));
  const reason = fixed.get(name) ?? fixed.get(name.replace(/_FILE$/, ''));
  if (reason !== undefined) return `${name}; expected it to be left out, because ${reason}`;
  // Compose itself reads these.
  if (used.has(name) || name.startsWith('COMPOSE_')) return undefined;
  const meant = findMisspelt(name, [...used]);
  // A line of a broken value can look like a name: base64 ends in =.
  const isHidden = meant === undefined && /[a-z]/.test(name) && /[A-Z]/.test(name);
  return `${isHidden ? '[not shown]' : name}, which no Compose file of this stack uses; expected ${meant ?? 'it to be left out'}`;
}

/** NAME=value or NAME: value, as Compose reads them. A quoted value may have several lines. */
const SETTING = /^[ \t]*(?:export[ \t]+)?([\w.-]+)[ \t]*[=:][ \t]*(?:"(?:\\[^]|[^"\\])*"|'[^']*')?/gm;

function readSettings(file: string): { name: string; place: string }[] {
  const text = readFileSync(file, 'utf8').replace(/^\uFEFF/, '');
  return [...text.matchAll(SETTING)].map(({ 1: name = '', index }) => ({
    name,
    place: `${file}:${text.slice(0, index).split('\n').length}`,
  }));
}
