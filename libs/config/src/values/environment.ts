/**
 * The environments and their traits. The only file that compares names of environments (lint rule): all other code
 * checks a trait. Names are compared exactly; there is no default. To add an environment, add a row.
 */

/** Each trait is a permission. A row without it does not have the permission. */
const PERMISSIONS = {
  /** On a developer's machine or in a test run: the embedded server, weak secrets and free ports are accepted. */
  runsLocally: 'runs on a laptop or in a test run',
  /** `.env.NAME`, or a `.env` that sets it. */
  readsEnvFiles: 'reads `.env` files',
  /** A `.env` may set ENVIRONMENT. For every other environment the caller must set it. */
  mayBeStatedByFile: 'may be stated by `.env`',
  /** `make dev`: reloads on save, migrates and seeds at start, and ends with the terminal. */
  isServedFromSources: 'is served from the sources, and migrates at its start',
  /** Its data may be lost. Without this permission: own servers, Redis, drops rejected, releases kept in a swarm. */
  isDisposable: 'may be lost',
  /** `airlock db reset-test`, and templates and clones for tests. */
  mayBeReset: 'may be reset by tests',
  mayBeSeeded: 'may be seeded with sample data',
  /** `airlock db refresh`: masked rows of another environment become the rows of this one. */
  takesCopies: 'may take a sanitised copy of another',
  /** A restored copy of it may be the source of a refresh. */
  feedsCopies: 'may be the source of a sanitised copy',
  /** The end-to-end suite, which writes through the API. */
  mayBeWrittenByTests: 'may be written to by the end-to-end suite',
  trustsLocalIssuer: 'accepts tokens of the local issuer',
  /** Allows error details in responses, debug logs and TESTING. */
  mayDebug: 'may show details of errors and log at `debug`',
  /** Allows databases outside PRIVATE_NETWORKS without TLS, and http origins and issuers. Disables HSTS. */
  mayLackTls: 'may go without TLS',
  mayShowPages: 'may serve the pages (`WITH_UI`)',
  /** JOBS_IN_API. Without this permission, a worker runs them: a long job must not slow down requests. */
  mayRunJobsInApi: 'may run jobs in the API',
  mayUseProtectedHosts: 'may use the hosts in `PROTECTED_HOSTS`',
  /** HTTP to these hosts, and mail to addresses at these domains. Without this permission nothing leaves. */
  mayReachListedHosts: 'may reach the outside hosts in `OUTBOUND_HOSTS`',
  /** `OUTBOUND_HOSTS` may be `*`. Its mail must arrive: a program that sends mail needs a real SMTP server. */
  mayReachAnyHost: 'may reach any outside host, and must send its mail',
  /** `SMTP_URL` may name a mail catcher, which sends nothing. */
  mayCatchMail: 'may send its mail to a catcher',
  /** An outside service may be a function in the process (`fake:`). */
  mayUseFakes: 'may replace outside services by fakes (`fake:`)',
  /** `airlock deploy` accepts an image that was just built. Without this permission, only a promoted image. */
  takesBuilds: 'takes images that were not promoted',
} as const;

export type Permission = keyof typeof PERMISSIONS;

export type Traits = Readonly<Record<Permission, boolean>> & {
  /** Words in names of hosts and databases that identify the environment. Its own name is always one of them. */
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
    mayBeWrittenByTests: true,
    trustsLocalIssuer: true,
    mayDebug: true,
    mayLackTls: true,
    mayShowPages: true,
    mayReachListedHosts: true,
    mayUseFakes: true,
    mayRunJobsInApi: true,
    mayCatchMail: true,
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
    mayUseFakes: true,
    mayRunJobsInApi: true,
    mayCatchMail: true,
  },
  preview: {
    words: ['previews'],
    isDisposable: true,
    mayBeSeeded: true,
    mayBeWrittenByTests: true,
    mayDebug: true,
    mayLackTls: true,
    mayShowPages: true,
    mayReachListedHosts: true,
    mayUseFakes: true,
    mayRunJobsInApi: true,
    takesBuilds: true,
    mayCatchMail: true,
  },
  staging: {
    words: ['stage', 'stg'],
    mayBeSeeded: true,
    takesCopies: true,
    mayShowPages: true,
    mayUseProtectedHosts: true,
    mayReachListedHosts: true,
    takesBuilds: true,
    mayCatchMail: true,
  },
  production: {
    words: ['prod', 'prd'],
    feedsCopies: true,
    mayUseProtectedHosts: true,
    mayReachListedHosts: true,
    mayReachAnyHost: true,
  },
} as const satisfies Readonly<Record<string, Row>>;

export type Environment = keyof typeof rows;

export const ENVIRONMENTS = Object.freeze(Object.keys(rows)) as readonly [Environment, ...Environment[]];
export const permissions = Object.keys(PERMISSIONS) as Permission[];

export const STRICT_TRAITS = complete('', {});
const table = new Map(Object.entries<Row>(rows).map(([name, row]) => [name, complete(name, row)]));

export function isEnvironment(name: string): name is Environment {
  return table.has(name);
}

/** The traits of an environment. An unknown name, such as one in a database stamp, has the strict traits. */
export function traitsOf(environment: string | undefined): Traits {
  return table.get(environment ?? '') ?? STRICT_TRAITS;
}

export function environmentsWith(permission: Permission): readonly Environment[] {
  return ENVIRONMENTS.filter((environment) => traitsOf(environment)[permission]);
}

export function environmentsWithout(permission: Permission): readonly Environment[] {
  return ENVIRONMENTS.filter((environment) => !traitsOf(environment)[permission]);
}

/** Lists names for a sentence: `development, testing or preview`. */
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
