/** Every program of the image: its command, platforms, ports and probes. The schema declares the variables of each. */
import type { Permission } from '../values/environment.js';

export const PLATFORMS = ['compose', 'swarm', 'kubernetes', 'cloud-run', 'fly', 'railway'] as const;
export type Platform = (typeof PLATFORMS)[number];

export interface Program {
  readonly does: string;
  /** The project, relative to the root of the workspace. */
  readonly folder: string;
  /** The built file, relative to the root of the workspace. */
  readonly entry: string;
  /** The command in the image. */
  readonly command: readonly string[];
  /** A program without a port of its own serves its probes on the management port. */
  readonly ports?: { readonly service?: number; readonly management?: number };
  /** Paths of the probes. */
  readonly probes?: { readonly startup: string; readonly liveness: string; readonly readiness: string };
  readonly runsOn: readonly Platform[];
  /** Not started in environments with one of these permissions. */
  readonly unless?: readonly Permission[];
  /** Variables that this program requires, although they are optional for others. */
  readonly needs: readonly string[];
  /** Values of variables that are not set, in place of the defaults in the schema. */
  readonly defaults?: Readonly<Record<string, string>>;
}

const PROBES = { startup: '/startupz', liveness: '/healthz', readiness: '/readyz' };

export const PROGRAMS = {
  api: {
    does: 'serves requests',
    folder: 'apps/api',
    entry: 'apps/api/dist/main.js',
    command: ['node', '/app/apps/api/dist/main.js'],
    ports: { service: 8000, management: 9000 },
    probes: PROBES,
    runsOn: PLATFORMS,
    needs: [],
  },
  callback: {
    does: 'receives users whom a provider sends back',
    folder: 'apps/callback',
    entry: 'apps/callback/dist/main.js',
    command: ['node', '/app/apps/callback/dist/main.js'],
    ports: { service: 8182, management: 9182 },
    probes: PROBES,
    runsOn: PLATFORMS,
    needs: ['CONNECTION_PROVIDERS'],
    defaults: {
      DATABASE_POOL_SIZE: '3',
      MANAGEMENT_PORT: '9182',
      PORT: '8182',
      SERVICE_NAME: 'airlock-callback',
      WITH_UI: 'false',
      WORKERS: '1',
    },
  },
  worker: {
    does: 'runs jobs and schedules',
    folder: 'apps/worker',
    entry: 'apps/worker/dist/main.js',
    command: ['node', '/app/apps/worker/dist/main.js'],
    ports: { management: 9000 },
    probes: PROBES,
    runsOn: PLATFORMS,
    unless: ['mayRunJobsInApi'],
    needs: [],
  },
  outbound: {
    does: 'is the way out of a network that has no other',
    folder: 'apps/cli',
    entry: 'apps/cli/bin/airlock.js',
    command: ['airlock', 'outbound', 'serve'],
    ports: { service: 3128 },
    runsOn: ['compose', 'swarm', 'kubernetes'],
    // A network that may reach any host is open, and a port that is published on a laptop needs one.
    unless: ['mayReachAnyHost', 'runsLocally'],
    needs: [],
    defaults: { PORT: '3128', SERVICE_NAME: 'airlock-outbound' },
  },
  migrate: {
    does: 'applies the migrations, once per release',
    folder: 'apps/cli',
    entry: 'apps/cli/bin/airlock.js',
    command: ['airlock', 'db', 'migrate'],
    runsOn: PLATFORMS,
    needs: ['DATABASE_MIGRATION_URL'],
  },
  provision: {
    does: 'creates roles, database, grants and stamp',
    folder: 'apps/cli',
    entry: 'apps/cli/bin/airlock.js',
    command: ['airlock', 'db', 'provision'],
    runsOn: ['compose', 'swarm'],
    needs: ['DATABASE_MIGRATION_URL', 'DATABASE_ADMIN_URL'],
  },
  backup: {
    does: 'stores backups of the database and proves them, on a schedule',
    folder: 'apps/cli',
    entry: 'apps/cli/bin/airlock.js',
    command: ['airlock', 'db', 'backup', '--every', '24h', '--drill-every', '168h'],
    runsOn: ['compose', 'swarm'],
    unless: ['isDisposable'],
    needs: ['DATABASE_ADMIN_URL', 'BACKUP_URL'],
  },
} as const satisfies Readonly<Record<string, Program>>;

export type ProgramName = keyof typeof PROGRAMS;

export const programNames = Object.keys(PROGRAMS) as ProgramName[];
