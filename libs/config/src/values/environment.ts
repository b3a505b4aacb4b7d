/**
 * Where a process may run, and what it may do there. The one file that compares names of environments (lint rule): all
 * other code asks for a trait. Exact bytes; there is no default. To add an environment, add a row.
 */

/** Each is a permission, and a row that does not state one does not have it. */
const PERMISSIONS = {
  /** On a developer's machine or in a test run: the embedded server, weak secrets and free ports are accepted. */
  runsLocally: 'runs on a laptop or in a test run',
  /** `.env.NAME`, or a `.env` that states it. */
  readsEnvFiles: 'reads `.env` files',
  /** A `.env` may state ENVIRONMENT; in every other environment the caller has to. */
  mayBeStatedByFile: 'may be stated by `.env`',
  /** `make dev`: reloads on save, migrates and seeds at its start, and ends with the terminal. */
  isServedFromSources: 'is served from the sources, and migrates at its start',
  /** Nobody relies on it or its data. Without this: its own servers, Redis, drops refused, releases kept in a swarm. */
  isDisposable: 'may be lost',
  /** `airlock db reset-test`, and what tests make out of the database: templates and clones. */
  mayBeReset: 'may be reset by tests',
  mayBeSeeded: 'may be seeded with sample data',
  /** `airlock db refresh`: a sanitised copy of another environment becomes a database of this one. */
  takesCopies: 'may take a sanitised copy of another',
  /** The end-to-end suite, which writes through the API. */
  mayBeWrittenByTests: 'may be written to by the end-to-end suite',
  trustsLocalIssuer: 'accepts tokens of the local issuer',
  /** Details of errors, debug logs and TESTING. */
  mayDebug: 'may show details of errors and log at `debug`',
  /** Plain connections to databases outside PRIVATE_NETWORKS, http origins and issuers; no HSTS. */
  mayLackTls: 'may go without TLS',
  mayShowPages: 'may serve the pages (`WITH_UI`)',
  mayUseProtectedHosts: 'may use the hosts in `PROTECTED_HOSTS`',
  /** `airlock deploy` takes an image that was just built; without this, only one that was promoted. */
  takesBuilds: 'takes images that were not promoted',
} as const;

export type Permission = keyof typeof PERMISSIONS;

export type Traits = Readonly<Record<Permission, boolean>> & {
  /** Words in names of hosts and databases that say whose they are; the environment's own name is always one. */
  readonly words: readonly string[];
  readonly nodeEnv: 'development' | 'test' | 'production';
};

type Row = Partial<Record<Permission, true>> & Partial<Pick<Traits, 'words' | 'nodeEnv'>>;

/** In order of strictness. */
const rows = {
  development: {
    words: ['dev', 'devel', 'develop', 'local', 'sandbox'],
    nodeEnv: 'development',
    runsLocally: true,
    readsEnvFiles: true,
    mayBeStatedByFile: true,
    isServedFromSources: true,
    isDisposable: true,
    mayBeSeeded: true,
    takesCopies: true,
    mayBeWrittenByTests: true,
    trustsLocalIssuer: true,
    mayDebug: true,
    mayLackTls: true,
    mayShowPages: true,
  },
  testing: {
    words: ['test', 'tests', 'tst', 'e2e', 'ci'],
    nodeEnv: 'test',
    runsLocally: true,
    readsEnvFiles: true,
    isDisposable: true,
    mayBeReset: true,
    mayBeSeeded: true,
    mayBeWrittenByTests: true,
    trustsLocalIssuer: true,
    mayDebug: true,
    mayLackTls: true,
    mayShowPages: true,
  },
  preview: {
    words: ['previews'],
    isDisposable: true,
    mayBeSeeded: true,
    takesCopies: true,
    mayBeWrittenByTests: true,
    mayDebug: true,
    mayLackTls: true,
    mayShowPages: true,
    takesBuilds: true,
  },
  staging: {
    words: ['stage', 'stg'],
    mayBeSeeded: true,
    takesCopies: true,
    mayShowPages: true,
    mayUseProtectedHosts: true,
    takesBuilds: true,
  },
  production: { words: ['prod', 'prd'], mayUseProtectedHosts: true },
} as const satisfies Readonly<Record<string, Row>>;

export type Environment = keyof typeof rows;

export const ENVIRONMENTS = Object.freeze(Object.keys(rows)) as readonly [Environment, ...Environment[]];
export const permissions = Object.keys(PERMISSIONS) as Permission[];

export const STRICT_TRAITS = complete('', {});
const table = new Map(Object.entries<Row>(rows).map(([name, row]) => [name, complete(name, row)]));

export function isEnvironment(name: string): name is Environment {
  return table.has(name);
}

/** Of a name that is not in the table, such as one that a database carries, the strict traits. */
export function traitsOf(environment: string | undefined): Traits {
  return table.get(environment ?? '') ?? STRICT_TRAITS;
}

export function environmentsWith(permission: Permission): readonly Environment[] {
  return ENVIRONMENTS.filter((environment) => traitsOf(environment)[permission]);
}

export function environmentsWithout(permission: Permission): readonly Environment[] {
  return ENVIRONMENTS.filter((environment) => !traitsOf(environment)[permission]);
}

/** `development, testing or preview`, in a sentence. */
export function listNames(names: readonly string[], word: 'or' | 'and' = 'or'): string {
  return names.join(', ').replace(/, ([^,]*)$/, ` ${word} $1`);
}

export function describePermission(permission: Permission): string {
  return PERMISSIONS[permission];
}

function complete(name: string, { words = [], nodeEnv = 'production', ...row }: Row): Traits {
  const stated = permissions.map((permission) => [permission, row[permission] === true] as const);
  const flags = Object.fromEntries(stated) as Record<Permission, boolean>;
  return Object.freeze({ ...flags, words: [name, ...words], nodeEnv });
}
