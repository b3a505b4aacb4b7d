import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { createRailwayContext, type RailwayProgram } from 'railway/iac';
import { parse as parseToml } from 'smol-toml';
import { parse as parseYaml } from 'yaml';
import { listFiles, readText, root } from './repository.js';

const deployed = (path: string): string => readText(`docker/deploy/${path}`);
const DIGEST = `sha256:${'a'.repeat(64)}`;
const IMAGE = `ghcr.io/example/airlock/api@${DIGEST}`;
const folders = ['alibaba', 'cloud-run', 'fly', 'railway', 'swarm'];
/** drain + requests + teardown + 5 s, as the service has them in production. */
const GRACE_S = 45;

/** The variables that no file here may carry. */
const secrets = {
  DATABASE_URL: 'postgres://airlock_app:0123456789abcdefghijkl@db.example.com:5432/airlock?sslmode=verify-full',
  SECRET_KEY: '0123456789abcdef0123456789abcdef0123456789abcdef',
  REDIS_URL: 'rediss://:lkjihgfedcba9876543210@redis.example.com:6379/0',
  CORS_ORIGINS: 'https://app.example.com',
  AUTH_ISSUER: 'https://auth.example.com',
  AUTH_JWKS_URL: 'https://auth.example.com/.well-known/jwks.json',
  AUTH_AUTHORIZED_PARTIES: 'https://app.example.com',
};

describe('docker/deploy', () => {
  it('has one folder per target, each with a README that says what was not run', () => {
    const names = listFiles(/^docker\/deploy\/.+\/README\.md$/).map((path) => path.split('/')[2]);
    expect(names.sort()).toEqual(folders);
    for (const name of folders) expect(deployed(`${name}/README.md`)).toMatch(/Not run/i);
  });

  it.each(listFiles(/^docker\/deploy\//))('%s carries no value of a secret', (path) => {
    expect(readText(path)).not.toMatch(/changethis|postgres(ql)?:\/\/|rediss?:\/\/|-----BEGIN/);
  });
});

describe('railway.ts, evaluated by the SDK of Railway', () => {
  const evaluate = async (environment: string) => {
    const path = join(root, 'docker/deploy/railway/.railway/railway.ts');
    const { default: program } = (await import(path)) as { default: RailwayProgram };
    const { resources } = await program(createRailwayContext({ environment }), (name, rest) => ({ name, ...rest }));
    return (resources ?? []).find(
      (resource) => 'name' in resource && resource.name === 'api',
    ) as unknown as RailwayService;
  };
  const withVariables = async <T>(work: () => Promise<T>): Promise<T> => {
    const names = { API_IMAGE: IMAGE, IMAGE_DIGEST: DIGEST };
    // eslint-disable-next-line no-restricted-properties -- what the deploy passes
    Object.assign(process.env, names);
    try {
      return await work();
    } finally {
      // eslint-disable-next-line no-restricted-properties -- as it was
      for (const name of Object.keys(names)) delete process.env[name];
    }
  };

  it.each([
    ['production', 2],
    ['staging', 1],
  ])('describes %s', async (environment, replicas) => {
    const { source, deploy, variables } = await withVariables(() => evaluate(environment));
    expect(source).toEqual({ type: 'image', image: IMAGE });
    expect(deploy).toMatchObject({
      preDeployCommand: ['airlock db migrate'],
      healthcheckPath: '/readyz',
      numReplicas: replicas,
      drainingSeconds: GRACE_S,
    });
    const literal = Object.entries(variables).flatMap(([name, { value }]) =>
      value === undefined ? [] : [[name, value]],
    );
    await assertConfigIsValid({
      ...(Object.fromEntries(literal) as Record<string, string>),
      DATABASE_URL: secrets.DATABASE_URL.replace('db.example.com', 'postgres.railway.internal').replace(
        'verify-full',
        'disable',
      ),
      REDIS_URL: secrets.REDIS_URL.replace('rediss', 'redis').replace('redis.example.com', 'redis.railway.internal'),
    });
    const kept = Object.keys(variables).filter((name) => variables[name]?.type === 'preserve');
    expect([...kept, 'REDIS_URL'].sort()).toEqual([...Object.keys(secrets), 'DATABASE_MIGRATION_URL'].sort());
  });

  it('refuses to be applied without an image', async () => {
    await expect(evaluate('staging')).rejects.toThrow('API_IMAGE, IMAGE_DIGEST: are missing');
  });
});

describe('fly.toml', () => {
  const fly = parseToml(deployed('fly/fly.toml')) as unknown as FlyToml;

  it('stops a machine as the service wants to be stopped', () => {
    expect(fly).toMatchObject({ kill_signal: 'SIGTERM', kill_timeout: GRACE_S });
  });

  it('migrates once, sends traffic by readiness only, and keeps two machines', () => {
    expect(fly.deploy).toMatchObject({ strategy: 'bluegreen', release_command: 'airlock db migrate' });
    expect(fly.http_service.checks).toEqual([expect.objectContaining({ path: '/readyz', method: 'GET' })]);
    expect(fly.http_service).toMatchObject({ auto_stop_machines: 'off', min_machines_running: 2, force_https: true });
  });

  it('gives variables that the configuration takes', async () => {
    await assertConfigIsValid({ ...fly.env, ...secrets, ENVIRONMENT: 'staging', IMAGE_DIGEST: DIGEST });
  });
});

describe('the manifests of Cloud Run and Kubernetes', () => {
  const service = containerOf('cloud-run/service.yaml');
  const job = parseYaml(deployed('cloud-run/job.yaml')) as CloudRunJob;
  const api = containerOf('alibaba/api.yaml');
  const migrate = containerOf('alibaba/migrate.yaml');

  it('probe what each probe is for', () => {
    expect(service.startupProbe?.httpGet.path).toBe('/readyz');
    expect(service.livenessProbe?.httpGet.path).toBe('/healthz');
    const { startupProbe, livenessProbe, readinessProbe } = api;
    expect([startupProbe, livenessProbe, readinessProbe].map((probe) => probe?.httpGet.path)).toEqual([
      '/startupz',
      '/healthz',
      '/readyz',
    ]);
  });

  it.each([
    ['cloud-run/service.yaml', service],
    ['alibaba/api.yaml', api],
  ])('%s gives variables that the configuration takes', async (_path, container) => {
    await assertConfigIsValid({ ...secrets, ...literalsOf(container), ENVIRONMENT: 'staging', IMAGE_DIGEST: DIGEST });
  });

  it('give the password of the migrator to the migration alone', () => {
    const migration = job.spec.template.spec.template.spec.containers[0];
    expect(JSON.stringify(migration)).toContain('DATABASE_MIGRATION_URL');
    expect(JSON.stringify(service)).not.toContain('DATABASE_MIGRATION_URL');
    expect(JSON.stringify(migrate.envFrom)).toContain('airlock-migrate');
    expect(JSON.stringify(api.envFrom)).not.toContain('airlock-migrate');
    expect([migration?.command, migration?.args].flat()).toEqual(['airlock', 'db', 'migrate']);
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
interface CloudRunJob {
  spec: { template: { spec: { template: { spec: Pod } } } };
}

function podOf(path: string): Pod {
  return (parseYaml(deployed(path)) as { spec: { template: { spec: Pod } } }).spec.template.spec;
}

function containerOf(path: string): Container {
  return podOf(path).containers[0] ?? {};
}

function literalsOf({ env = [] }: Container): Record<string, string> {
  return Object.fromEntries(
    env.flatMap(({ name, value }) => (value === undefined || value.startsWith('$') ? [] : [[name, value]])),
  );
}

/** Asks the real command, as the process would be started: nothing but these variables. */
async function assertConfigIsValid(variables: Readonly<Record<string, string>>): Promise<void> {
  const command = join(root, 'node_modules/.bin/airlock');
  const env = { PATH: `${join(root, 'node_modules/.bin')}:/usr/local/bin:/usr/bin:/bin`, ...secrets, ...variables };
  const { stderr } = await promisify(execFile)(command, ['config', 'check'], { env, cwd: join(root, 'docker') });
  expect(stderr).toBe('');
}
