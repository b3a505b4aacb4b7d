import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { ProgramName } from '@airlock/config';
import { isRead } from '@airlock/config/loading';
import { createRailwayContext, type RailwayProgram } from 'railway/iac';
import { parse as parseToml } from 'smol-toml';
import { parse as parseYaml } from 'yaml';
import { listFiles, readText, root } from './repository.js';

const deployed = (path: string): string => readText(`docker/deploy/${path}`);
const DIGEST = `sha256:${'a'.repeat(64)}`;
const IMAGE = `ghcr.io/example/airlock/api@${DIGEST}`;
const folders = ['alibaba', 'cloud-run', 'fly', 'railway', 'swarm'];
/** drain + requests + teardown + 5 s, with the production values of the service. */
const GRACE_S = 45;

/** Values that the files leave to the platform. */
const samples = {
  DATABASE_MIGRATION_URL:
    'postgres://airlock_migrator:9876543210abcdefghijkl@db.example.com:5432/airlock?sslmode=verify-full',
  DATABASE_URL: 'postgres://airlock_app:0123456789abcdefghijkl@db.example.com:5432/airlock?sslmode=verify-full',
  SECRET_KEY: '0123456789abcdef0123456789abcdef0123456789abcdef',
  REDIS_URL: 'rediss://:lkjihgfedcba9876543210@redis.example.com:6379/0',
  CORS_ORIGINS: 'https://app.example.com',
  AUTH_ISSUER: 'https://auth.example.com',
  AUTH_JWKS_URL: 'https://auth.example.com/.well-known/jwks.json',
  AUTH_AUTHORIZED_PARTIES: 'https://app.example.com',
};
const callbackSamples = {
  CALLBACK_URL: 'https://callback.example.com',
  CONNECTIONS_PAGE: 'https://app.example.com/connections',
  CONNECTION_KEYS: 'abcdef9876543210abcdef9876543210abcdef9876543210',
  CONNECTION_PROVIDERS: JSON.stringify([
    {
      ...{ name: 'acme', issuer: 'https://login.example.com', clientId: 'airlock' },
      ...{ clientSecret: '0123456789abcdef0123456789abcdef', scopes: ['openid'] },
    },
  ]),
};

describe('docker/deploy', () => {
  it('has one folder per target, each with a README that lists what was not run', () => {
    const names = listFiles(/^docker\/deploy\/.+\/README\.md$/).map((path) => path.split('/')[2]);
    expect(names.sort()).toEqual(folders);
    for (const name of folders) expect(deployed(`${name}/README.md`)).toMatch(/Not run/i);
  });

  it.each(listFiles(/^docker\/deploy\//))('%s contains no value of a secret', (path) => {
    expect(readText(path)).not.toMatch(/changethis|postgres(ql)?:\/\/|rediss?:\/\/|-----BEGIN/);
  });
});

/** The variables that each program of each platform gets, by its files and by its README. */
const programs: readonly Program[] = [
  { name: 'the app of Fly', given: () => listFly(), readme: 'fly', migrates: true },
  { name: 'the service of Cloud Run', given: () => listContainer('cloud-run/service.yaml'), readme: 'cloud-run' },
  {
    name: 'the job of Cloud Run',
    given: () => listContainer('cloud-run/job.yaml'),
    readme: 'cloud-run',
    migrates: true,
    reader: 'migrate',
  },
  {
    name: 'the worker of Cloud Run',
    given: () => listContainer('cloud-run/worker.yaml'),
    readme: 'cloud-run',
    reader: 'worker',
  },
  {
    name: 'the service of Railway',
    given: (environment) => listRailway(environment),
    readme: 'railway',
    migrates: true,
  },
  {
    name: 'the worker of Railway',
    given: (environment) => listRailway(environment, 'worker'),
    readme: 'railway',
    reader: 'worker',
  },
  {
    name: 'the worker of Kubernetes',
    given: () => listContainer('alibaba/worker.yaml'),
    readme: 'alibaba',
    reader: 'worker',
  },
  ...(['alibaba', 'cloud-run', 'fly', 'railway'] as const).map((readme) => ({
    name: `the callback of ${readme}`,
    given: (environment: string) => listCallback(readme, environment),
    readme,
    reader: 'callback' as const,
  })),
  { name: 'the pods of Kubernetes', given: () => listContainer('alibaba/api.yaml'), readme: 'alibaba' },
  {
    name: 'the job of Kubernetes',
    given: () => listContainer('alibaba/migrate.yaml'),
    readme: 'alibaba',
    migrates: true,
    reader: 'migrate',
  },
];

describe.each(['staging', 'production'])('in %s', (environment) => {
  const required = rowsOfSchema()
    .filter(({ requiredIn }) => requiredIn.includes('all') || requiredIn.includes(environment))
    .map(({ name }) => name);

  it('the configuration requires exactly what the reference of the schema says', async () => {
    const { stderr } = await checkConfig({ ENVIRONMENT: environment });
    const missing = stderr
      .split('\n')
      .flatMap((line) => /^([A-Z_, ]+): (?:is|are) not set/.exec(line.trim())?.[1]?.split(', ') ?? []);
    expect(['ENVIRONMENT', ...missing].sort()).toEqual([...required].sort());
  });

  it.each(programs)(
    '$name gets every required variable that it reads',
    async ({ given, migrates = false, reader = 'api' }) => {
      const names = Object.keys(await given(environment));
      const read = required.filter((name) => isRead(name as 'ENVIRONMENT', reader));
      const wanted = migrates ? [...read, 'DATABASE_MIGRATION_URL'] : read;
      expect(wanted.filter((name) => !names.includes(name))).toEqual([]);
    },
  );

  it.each(programs)('$name gets no variable that is not in the schema', async ({ given }) => {
    const known = rowsOfSchema().map(({ name }) => name);
    expect(Object.keys(await given(environment)).filter((name) => !known.includes(name))).toEqual([]);
  });

  it.each(programs)(
    '$name starts with exactly the variables that it gets',
    async ({ given, readme, reader = 'api' }) => {
      const variables = Object.entries(await given(environment)).map(([name, value]) => {
        const sample = name === 'ENVIRONMENT' ? environment : (value ?? sampleOf(name, readme));
        return [name, sample] as const;
      });
      expect(await checkConfig(Object.fromEntries(variables), reader)).toEqual({ status: 0, stderr: '' });
    },
  );

  it.each([...new Set(programs.map(({ readme }) => readme))])(
    'the README of %s names every required variable',
    (name) => {
      const text = deployed(`${name}/README.md`);
      expect(required.filter((variable) => !new RegExp(`\\b${variable}\\b`).test(text))).toEqual([]);
    },
  );
});

describe('railway.ts, evaluated by the SDK of Railway', () => {
  it.each([
    ['production', 2],
    ['staging', 1],
  ])('describes %s', async (environment, replicas) => {
    const { source, deploy, variables } = await withRelease(() => evaluateRailway(environment));
    expect(source).toEqual({ type: 'image', image: IMAGE });
    expect(deploy).toMatchObject({
      preDeployCommand: ['airlock db migrate'],
      healthcheckPath: '/readyz',
      numReplicas: replicas,
      drainingSeconds: GRACE_S,
    });
    const kept = Object.keys(variables).filter((name) => variables[name]?.type === 'preserve');
    expect([...kept, 'REDIS_URL'].sort()).toEqual(Object.keys(samples).sort());
  });

  it('has the callback only where it is on', async () => {
    expect(await withRelease(() => evaluateRailway('staging', 'callback'))).toMatchObject({
      deploy: { healthcheckPath: '/readyz', numReplicas: 1, drainingSeconds: GRACE_S },
    });
    expect(await withRelease(() => evaluateRailway('staging', 'callback'), '0')).toBeUndefined();
  });

  it('refuses to be applied without an image', async () => {
    await expect(evaluateRailway('staging')).rejects.toThrow('API_IMAGE, IMAGE_DIGEST: are missing');
  });
});

describe('fly.toml', () => {
  const fly = parseToml(deployed('fly/fly.toml')) as unknown as FlyToml;

  it('stops a machine with the signal and timeout of the service', () => {
    expect(fly).toMatchObject({ kill_signal: 'SIGTERM', kill_timeout: GRACE_S });
  });

  it('migrates once, routes traffic only by readiness, and keeps two machines', () => {
    expect(fly.deploy).toMatchObject({ strategy: 'bluegreen', release_command: 'airlock db migrate' });
    expect(fly.http_service.checks).toEqual([expect.objectContaining({ path: '/readyz', method: 'GET' })]);
    expect(fly.http_service).toMatchObject({ auto_stop_machines: 'off', min_machines_running: 2, force_https: true });
  });
});

describe('the manifests of Cloud Run and Kubernetes', () => {
  const service = containerOf('cloud-run/service.yaml');
  const migration = containerOf('cloud-run/job.yaml');
  const api = containerOf('alibaba/api.yaml');
  const migrate = containerOf('alibaba/migrate.yaml');

  it('use the right path for each probe', () => {
    expect(service.startupProbe?.httpGet.path).toBe('/readyz');
    expect(service.livenessProbe?.httpGet.path).toBe('/healthz');
    const { startupProbe, livenessProbe, readinessProbe } = api;
    expect([startupProbe, livenessProbe, readinessProbe].map((probe) => probe?.httpGet.path)).toEqual([
      '/startupz',
      '/healthz',
      '/readyz',
    ]);
  });

  it('pass the password of the migrator only to the migration', () => {
    expect(JSON.stringify(migration)).toContain('DATABASE_MIGRATION_URL');
    expect(JSON.stringify(service)).not.toContain('DATABASE_MIGRATION_URL');
    expect(JSON.stringify(migrate.envFrom)).toContain('airlock-migrate');
    expect(JSON.stringify(api.envFrom)).not.toContain('airlock-migrate');
    expect([migration.command, migration.args].flat()).toEqual(['airlock', 'db', 'migrate']);
    expect(migrate.command).toEqual(['airlock', 'db', 'migrate']);
  });

  it('give Kubernetes the time of preStop and of the shutdown', () => {
    const { terminationGracePeriodSeconds } = podOf('alibaba/api.yaml');
    expect(terminationGracePeriodSeconds).toBe((api.lifecycle?.preStop.sleep.seconds ?? 0) + GRACE_S);
  });

  it('run with a read-only root and no capability on Kubernetes', () => {
    for (const { securityContext } of [api, migrate]) {
      expect(securityContext).toEqual({
        readOnlyRootFilesystem: true,
        allowPrivilegeEscalation: false,
        capabilities: { drop: ['ALL'] },
      });
    }
  });
});

interface RailwayService {
  source: unknown;
  deploy: Record<string, unknown>;
  variables: Record<string, { type: string; value?: string }>;
}
interface FlyToml {
  deploy: Record<string, unknown>;
  env: Record<string, string>;
  http_service: Record<string, unknown>;
}
interface Probe {
  httpGet: { path: string };
}
interface Container {
  command?: string[];
  args?: string[];
  env?: { name: string; value?: string }[];
  envFrom?: unknown;
  startupProbe?: Probe;
  livenessProbe?: Probe;
  readinessProbe?: Probe;
  lifecycle?: { preStop: { sleep: { seconds: number } } };
  securityContext?: unknown;
}
interface Pod {
  containers: Container[];
  terminationGracePeriodSeconds?: number;
}
/** A job of Cloud Run has its pod one level deeper than the other kinds. */
function podOf(path: string): Pod {
  interface Template {
    spec: Pod & { template?: Template };
  }
  const { template } = (parseYaml(deployed(path)) as { spec: { template: Template } }).spec;
  return (template.spec.template ?? template).spec;
}

function containerOf(path: string): Container {
  return podOf(path).containers[0] ?? {};
}

/** By name: the value if the file has it, undefined if the platform or the deploy provides it. */
type Given = Readonly<Record<string, string | undefined>>;

interface Program {
  readonly name: string;
  readonly given: (environment: string) => Given | Promise<Given>;
  /** The folder whose README explains how to set the values that the files omit. */
  readonly readme: string;
  readonly migrates?: true;
  /** The owner of the variables: the API, unless it is a separate job. */
  readonly reader?: ProgramName;
}

function listContainer(path: string): Given {
  const { env = [] } = containerOf(path);
  // `airlock deploy` sets it with each release.
  const release = { IMAGE_DIGEST: DIGEST };
  return {
    ...release,
    ...Object.fromEntries(
      env.map(({ name, value }) => [name, value?.startsWith('$') ? release[name as 'IMAGE_DIGEST'] : value]),
    ),
  };
}

function listFly(file = 'fly.toml', app = 'airlock-staging'): Given {
  const { env } = parseToml(deployed(`fly/${file}`)) as unknown as FlyToml;
  const line = new RegExp(`^flyctl secrets set --app ${app} (?:.*\\\\\n)*.*$`, 'm');
  const command = line.exec(deployed('fly/README.md'))?.[0] ?? '';
  const secrets = [...command.matchAll(/\b([A-Z_]+)=/g)].map(([, name = '']) => [name, undefined] as const);
  return { ENVIRONMENT: undefined, IMAGE_DIGEST: DIGEST, ...env, ...Object.fromEntries(secrets) };
}

function listCallback(platform: 'alibaba' | 'cloud-run' | 'fly' | 'railway', environment: string) {
  if (platform === 'fly') return listFly('callback.toml', 'airlock-staging-callback');
  if (platform === 'railway') return listRailway(environment, 'callback');
  return listContainer(`${platform}/callback.yaml`);
}

async function listRailway(environment: string, service = 'api'): Promise<Given> {
  const { variables } = await withRelease(() => evaluateRailway(environment, service));
  return Object.fromEntries(Object.entries(variables).map(([name, { value }]) => [name, value]));
}

/** The databases of Railway are in its private network. */
function sampleOf(name: string, readme: string): string {
  const sample = { ...samples, ...callbackSamples }[name as keyof typeof samples];
  if (readme !== 'railway') return sample;
  return sample
    .replace(/(db|redis)\.example\.com/, '$1.railway.internal')
    .replace('verify-full', 'disable')
    .replace('rediss', 'redis');
}

async function evaluateRailway(environment: string, name = 'api'): Promise<RailwayService> {
  const path = join(root, 'docker/deploy/railway/.railway/railway.ts');
  const { default: program } = (await import(path)) as { default: RailwayProgram };
  const { resources } = await program(createRailwayContext({ environment }), (of, rest) => ({ name: of, ...rest }));
  return (resources ?? []).find(
    (resource) => 'name' in resource && resource.name === name,
  ) as unknown as RailwayService;
}

async function withRelease<T>(work: () => Promise<T>, callbackReplicas = '1'): Promise<T> {
  const names = { API_IMAGE: IMAGE, IMAGE_DIGEST: DIGEST, CALLBACK_REPLICAS: callbackReplicas };
  // eslint-disable-next-line no-restricted-properties -- what the deploy passes
  Object.assign(process.env, names);
  try {
    return await work();
  } finally {
    // eslint-disable-next-line no-restricted-properties -- as it was
    for (const name of Object.keys(names)) delete process.env[name];
  }
}

/**
 * The variables of docs/configuration.md, which is generated from the schema, and the environments that require each.
 */
function rowsOfSchema(): { name: string; requiredIn: string }[] {
  const rows = readText('docs/configuration.md').matchAll(
    /^\| `([A-Z_]+)` *\| .*? \| ([a-z, ]*) \| [a-z, ]* \| .+ \|$/gm,
  );
  return [...rows].map(([, name = '', requiredIn = '']) => ({ name, requiredIn }));
}

/** Runs the real command with exactly these variables in its environment. */
async function checkConfig(
  variables: Readonly<Record<string, string>>,
  program: ProgramName = 'api',
): Promise<{ status: number; stderr: string }> {
  const command = join(root, 'node_modules/.bin/airlock');
  const env = { PATH: `${join(root, 'node_modules/.bin')}:/usr/local/bin:/usr/bin:/bin`, ...variables };
  return new Promise((resolve) => {
    execFile(
      command,
      ['config', 'check', '--program', program],
      { env, cwd: join(root, 'docker') },
      (error, _stdout, stderr) => {
        resolve({ status: error ? Number(error.code) : 0, stderr });
      },
    );
  });
}
