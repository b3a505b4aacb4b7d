/**
 * Compares schema × programs × environments with the manifests: each variable is passed on, fixed, or omitted for a
 * reason.
 */
import {
  type Environment,
  environmentsWithout,
  FIXED_IN_STACKS,
  type ProgramName,
  PROGRAMS,
  traitsOf,
} from '@airlock/config';
import { isRead, metaOf, variableNames } from '@airlock/config/loading';
import { loadManifests, type Manifest, readCompose } from './manifests.js';
import { readText } from './repository.js';

type Name = (typeof variableNames)[number];

/** Secrets that an environment does not need, and why its manifest omits them. */
const LEFT_OUT: Readonly<Record<string, string>> = {
  REDIS_URL: 'a preview has no Redis: caches are per process',
  STORAGE_URL: 'only an app with a route that takes files needs it, and then it is required (docs/uploads.md)',
  REFRESH_KEY: 'an operator gives it to the one command that reads it',
  REFRESH_SOURCE_URL: 'as REFRESH_KEY: it names a server that exists for one refresh',
  REFRESH_BACKUP_URL: 'as REFRESH_KEY',
  REFRESH_BACKUP_IDENTITY: 'as REFRESH_KEY',
  SENTRY_DSN: 'a platform that stores it as a secret passes it by name',
};

/** Every place that needs a change, as `file: program: problem`. */
export async function findManifestProblems(): Promise<string[]> {
  const manifests = await loadManifests();
  return [...manifests.flatMap(judge), ...findWrongReaders('docs/docker.md'), ...findWrongReaders('docs/secrets.md')];
}

function judge(manifest: Manifest): string[] {
  const problems = variableNames.flatMap((name) => judgeVariable(manifest, name) ?? []);
  const unknown = manifest.given.filter((name) => !(variableNames as readonly string[]).includes(name));
  return [
    ...problems,
    ...unknown.map((name) => `${name} is not a variable of the schema`),
    ...manifest.unmounted.map((name) => `the secret ${name} is named but not mounted, declared and created`),
  ].map((problem) => `${manifest.place}: ${manifest.programs.join(', ')}: ${problem}`);
}

function judgeVariable(manifest: Manifest, name: Name): string | undefined {
  const { environment, programs, given, mustPassOn } = manifest;
  const meta = metaOf(name);
  if (meta.only && !meta.only.includes(environment)) return undefined;
  const readers = programs.filter((program) => isRead(name, program) || needs(program, name));
  if (given.includes(name)) return readers.length > 0 ? undefined : `${name} is passed but not read`;
  if (readers.length === 0) return undefined;
  const isRequired = meta.required?.includes(environment) || readers.some((program) => needs(program, name));
  if (isRequired) return `${name} is required in ${environment} but not passed`;
  if (!mustPassOn || name in FIXED_IN_STACKS || name in LEFT_OUT) return undefined;
  // A laptop needs neither: its image gets the database from the overlay, and it has no digest of a deploy.
  if (traitsOf(environment).runsLocally && (name === 'IMAGE_DIGEST' || meta.secret)) return undefined;
  return `${name} is not passed on from the settings file`;
}

function needs(program: ProgramName, name: string): boolean {
  return (PROGRAMS[program].needs as readonly string[]).includes(name);
}

/** The column `read by` of a table of secrets must name exactly the services that mount each. */
function findWrongReaders(path: string): string[] {
  const [environment] = environmentsWithout('isDisposable');
  if (environment === undefined) return [];
  const documented = readReaders(path);
  return Object.entries(readMounts(environment)).flatMap(([secret, services]) => {
    const said = documented.get(secret);
    const expected = services.sort().join(', ');
    return said === expected ? [] : [`${path}: ${secret} is read by ${said ?? 'no row'}; expected ${expected}`];
  });
}

/** The services that mount each secret of a stack. */
export function readMounts(environment: Environment): Record<string, string[]> {
  const overlay = readCompose(`compose.${environment}.yml`);
  const mounts = Object.entries(overlay.services).flatMap(([service, { extends: base, secrets = [] }]) => {
    const inherited = base ? (readCompose(base.file).services[base.service]?.secrets ?? []) : [];
    return [...new Set([...inherited, ...secrets])].map((secret) => ({ secret, service }));
  });
  const bySecret = Map.groupBy(mounts, ({ secret }) => secret);
  return Object.fromEntries([...bySecret].map(([secret, uses]) => [secret, uses.map(({ service }) => service)]));
}

function readReaders(path: string): Map<string, string> {
  const lines = readText(path).split('\n');
  const start = lines.findIndex((line) => /^\| (file|secret) .*\bread by\b/.test(line));
  const cellsOf = (line = '') => line.split('|').map((cell) => cell.trim());
  const column = cellsOf(lines[start]).indexOf('read by');
  const rows = lines.slice(start + 2, lines.indexOf('', start)).map(cellsOf);
  return new Map(
    rows.flatMap((cells) => {
      const secrets = [...(cells[1] ?? '').matchAll(/`(\w+)`/g)].map(([, name = '']) => name);
      const readers = (cells[column] ?? '').split('; ');
      return secrets.map((name, index) => [name, sortNames(readers[index] ?? readers[0] ?? '')] as const);
    }),
  );
}

function sortNames(text: string): string {
  return text.split(', ').sort().join(', ');
}
