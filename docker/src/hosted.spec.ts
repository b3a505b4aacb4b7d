import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { traitsOf } from '@airlock/config';
import { skipUnless } from '@airlock/config/testing';
import { CONFINED, describeConfinement, listProject, serviceOf } from './containers.fixture.js';
import { askEdge, findEdgeImages, prepareEdge } from './edge.fixture.js';
import {
  cloneWorkspace,
  listTraces,
  nameRun,
  removeClone,
  report,
  run,
  waitFor,
  type Outcome,
} from './engine.fixture.js';
import { Host, hostings } from './hosted.fixture.js';
import { inspectImage } from './image-facts.js';
import { imageRules, type ImageFacts } from './image-rules.js';
import { Internet, WAYS } from './internet.fixture.js';
import { askWhile, Proxy, stopContainer } from './load.fixture.js';
import { Registry } from './registry.fixture.js';

/**
 * Staging, production and previews as their hosts run them: images by digest from a registry, secrets as files, nothing
 * built; behind the real Traefik and its socket proxy, if this engine has their images.
 */
const name = nameRun();
const folder = cloneWorkspace();
const registry = new Registry(name);
const edgeImages = findEdgeImages();
const itWithEdge = skipUnless(edgeImages !== undefined, it, 'no image of Traefik');
/** The API_DOMAIN of docker/settings/example.env. */
const DOMAIN = 'api.staging.example.com';
let ca: string;
const internet = new Internet(name);
const commit = run('git', ['rev-parse', 'HEAD']);
let digest: string;

beforeAll(async () => {
  if (!edgeImages) report('the edge', 'skipped, because this engine has no image of Traefik and cannot pull one');
  await internet.start();
  await registry.setUp(folder, edgeImages);
  ({ ca } = prepareEdge(folder, DOMAIN));
  digest = registry.buildRelease(folder, commit);
  // Files that a laptop has beside the Compose files, and that a host must not read.
  const strays = { API_REPOSITORY: 'registry.invalid/stray', LOG_LEVEL: 'trace', DEBUG: 'true', SECRETS_DIR: '/tmp' };
  const text = Object.entries(strays).map(([key, value]) => `${key}=${value}\n`);
  writeFileSync(join(folder, '.env'), text.join(''));
});

afterAll(() => {
  internet.stop();
  registry.tearDown(folder);
  removeClone(folder);
  const left = listTraces(name);
  if (left.length > 0) throw new Error(`left behind: ${left.join(', ')}`);
});

const succeeded = ({ status, output }: Outcome) => (status === 0 ? true : output.slice(-4000));

describe.each(hostings)('$environment by Compose', (hosting) => {
  let host: Host;
  beforeAll(() => {
    const release = { repository: `${registry.address}/airlock`, digest };
    host = new Host(hosting, {
      name,
      folder,
      ...release,
      outboundHosts: internet.address,
      hasEdge: edgeImages !== undefined,
    });
    host.setUp();
  });
  afterAll(() => host.tearDown());

  const inContainer = (id: string, script: string) => run('docker', ['exec', id, 'node', '-e', script]);
  const ask = (path: string) =>
    `fetch("http://127.0.0.1:8000${path}").then(async (r) => console.log(r.status, await r.text()))`;

  it('starts from digests and secret files: roles, database, schema, API', () => {
    const outcome = host.compose('up', '--wait', '--detach', 'api');
    report(`docker/compose ${hosting.selector} up, without the edge`, `${outcome.seconds.toFixed(1)} s`);
    const said = outcome.status === 0 ? '' : host.compose('logs', 'provision', 'migrate', 'api').output;
    expect([succeeded(outcome), said]).toEqual([true, '']);
    const services = new Set(host.containers().map(serviceOf));
    expect([...services].sort()).toEqual(hosting.services);
    expect(host.containers('api')).toHaveLength(hosting.replicas);
  });

  it('runs every image by its digest, and reads nothing from the .env beside it', () => {
    for (const { Config } of host.containers()) expect(Config.Image).toMatch(/@sha256:[0-9a-f]{64}$/);
    for (const { Config } of host.containers('api')) expect(Config.Image).toBe(`${registry.address}/airlock@${digest}`);
  });

  it('is ready in every replica, and each returns its version', () => {
    const isShort = hosting.environment === 'production';
    for (const { Id } of host.containers('api')) {
      expect(inContainer(Id, ask('/readyz'))).toMatch(/^200 .*"status":"ok"/);
      const [status, ...body] = inContainer(Id, ask('/version')).split(' ');
      expect([status, JSON.parse(body.join(' '))]).toEqual([
        '200',
        expect.objectContaining({ commit: isShort ? commit.slice(0, 7) : commit, digest }),
      ]);
    }
  });

  itWithEdge('is reached through the edge of its host, which ignores other projects', async () => {
    const decoy = `${name}-decoy`;
    const edge = { address: host.startEdge(), host: DOMAIN, ca };
    const rule = `traefik.http.routers.decoy.rule=Host(\`${DOMAIN}\`) && PathPrefix(\`/version\`)`;
    const labels = ['traefik.enable=true', rule, 'traefik.http.routers.decoy.priority=9999'];
    const words = ['--network', host.edgeNetwork, ...labels.flatMap((label) => ['--label', label])];
    const server = "require('node:http').createServer((_, answer) => answer.end('decoy')).listen(8000)";
    run('docker', [
      'run',
      '--detach',
      '--name',
      decoy,
      '--expose=8000',
      ...words,
      'node:24.21.0-trixie-slim',
      'node',
      '-e',
      server,
    ]);
    try {
      await waitFor('the edge', async () => ((await askEdge(edge, '/readyz')).status === 200 ? true : undefined));
      // Longer than Traefik needs to find a new container.
      await new Promise((resolve) => setTimeout(resolve, 3_000));
      const answers = await Promise.all(Array.from({ length: 20 }, () => askEdge(edge, '/version')));
      const seen = answers.map(({ body }) => /sha256:[0-9a-f]{64}/.exec(body)?.[0] ?? body);
      expect([...new Set(seen)]).toEqual([digest]);
      expect(host.edgeLog()).not.toMatch(/refused (GET|HEAD|POST)|blocked|forbidden/i);
      if (host.hasCallback) await expectCallback(edge);
    } finally {
      run('docker', ['rm', '--force', decoy]);
      host.stopEdge();
    }
  });

  /** A user returns from a provider. No log may have the code in this address. */
  async function expectCallback(edge: Parameters<typeof askEdge>[0]): Promise<void> {
    const { status, headers } = await askEdge(edge, '/callback/acme?code=code-of-a-user&state=unknown');
    const page = 'https://app.example.com/accounts#provider=acme&error=invalid_state';
    expect([status, headers.location]).toEqual([303, page]);
    const logs = host.edgeLog() + host.compose('logs', 'callback').output;
    expect(logs).toContain('state-unknown');
    expect(logs).not.toContain('code-of-a-user');
  }

  it('has a stamped database', () => {
    expect(host.sql('SELECT environment, database_name FROM ops.environment')).toBe(
      `${hosting.environment}|${hosting.database}`,
    );
  });

  it('gives no container privileges, or a port or folder of the host', () => {
    for (const container of host.containers()) {
      expect(describeConfinement(container)).toEqual({
        ...CONFINED,
        service: serviceOf(container),
        user: expect.not.stringMatching(/^(0|root)?(:|$)/),
      });
      expect(Object.keys(container.HostConfig.PortBindings)).toEqual([]);
      const binds = container.Mounts.filter(({ Type }) => Type === 'bind');
      // Secrets, one file each.
      expect(binds.filter(({ Source, RW }) => RW || !Source.startsWith(host.secretsDir))).toEqual([]);
    }
    for (const { Config } of host.containers('api')) expect(Config.User).toBe('10001:10001');
  });

  it('shows no secret in the configuration or log of a container', () => {
    const seen = run('docker', ['inspect', ...host.containers().map(({ Id }) => Id)]) + host.compose('logs').output;
    expect(Object.values(host.passwords).filter((password) => seen.includes(password))).toEqual([]);
  });

  it('allows the edge to reach the API but no database', () => {
    const script = `
      const { lookup } = require('node:dns/promises');
      const found = (host) => lookup(host).then(() => 'found', (error) => error.code);
      fetch('http://api:8000/readyz')
        .then(async (r) => [r.status, await found('postgres'), await found('redis')])
        .then((seen) => console.log(seen.join(' ')));`;
    const options = ['run', '--rm', '--network', host.edgeNetwork, 'node:24.21.0-trixie-slim', 'node', '-e', script];
    // A network without a way out asks no resolver outside.
    const code = host.isOpen ? 'ENOTFOUND' : 'EAI_AGAIN';
    expect(run('docker', options)).toBe(`200 ${code} ${code}`);
  });

  it(`${traitsOf(hosting.environment).mayReachAnyHost ? 'reaches every' : 'reaches no'} host outside past the guard`, async () => {
    for (const { Id } of host.containers('api').slice(0, 1)) {
      const addresses = host.isOpen ? [internet.address] : internet.addressesFor(Id);
      const expected = host.isOpen ? WAYS.map((way) => `${way} ${internet.address}`) : [];
      expect(await internet.plant(Id, addresses)).toEqual(expected.sort());
    }
  });

  if (!traitsOf(hosting.environment).mayReachAnyHost) {
    const fetchFrom = (url?: string) =>
      internet.fetchThrough('http://outbound:3128', host.containers('api')[0]?.Id ?? '', url);

    it('reaches the listed hosts through the proxy, and no other', () => {
      expect(fetchFrom()).toBe('200 arrived');
      expect(fetchFrom('http://postgres:5432')).toMatch(/^403|fetch failed/);
      expect(host.compose('logs', 'outbound').output).toMatch(
        /"host":"postgres","port":5432,"event":"outbound.refused"/,
      );
    });

    it('asks no resolver outside', () => {
      const script = "require('node:dns').lookup('airlock.example.com', (error) => console.log(error?.code))";
      expect(inContainer(host.containers('api')[0]?.Id ?? '', script)).toBe('EAI_AGAIN');
    });

    it('reaches no host when the proxy is down, and serves; then reaches them again', async () => {
      expect(succeeded(host.compose('kill', 'outbound'))).toBe(true);
      const [{ Id = '' } = {}] = host.containers('api');
      expect(fetchFrom()).toBe('fetch failed');
      expect(await internet.plant(Id, internet.addressesFor(Id))).toEqual([]);
      expect(inContainer(Id, ask('/readyz'))).toMatch(/^200 /);
      expect(succeeded(host.compose('up', '--wait', '--detach', '--no-deps', 'outbound'))).toBe(true);
      expect(fetchFrom()).toBe('200 arrived');
    });
  }

  /** Runs another API with `args`, and returns its outcome. */
  const tryApi = (settings: Record<string, string>, ...args: string[]) => {
    const outcome = host.composeWith(settings, 'run', '--rm', '--no-deps', '--no-TTY', ...args, 'api');
    return [outcome.status, outcome.output];
  };

  it('does not start beside an .env in its folder', () => {
    const outcome = tryApi({}, `--volume=${join(folder, '.env')}:/app/.env:ro`);
    const problem = `.env: is in the working folder, but ${hosting.environment} reads no .env file`;
    expect(outcome).toEqual([78, expect.stringContaining(problem)]);
  });

  it('does not start with a secret from an example', () => {
    const SECRETS_DIR = host.writeSecretsWithKey('changethis-with-openssl-rand-hex-32');
    const problem = 'SECRET_KEY: is a placeholder or comes from an example';
    expect(tryApi({ SECRETS_DIR })).toEqual([78, expect.stringContaining(problem)]);
  });

  const refusals: readonly (readonly [string, string])[] =
    hosting.environment === 'preview'
      ? [['TESTING=true', 'TESTING: is true in preview']]
      : [
          ['DEBUG=true', `DEBUG: is true in ${hosting.environment}`],
          ['LOG_LEVEL=debug', `LOG_LEVEL: is debug in ${hosting.environment}`],
          ['PRIVATE_NETWORKS=10.0.0.0/8', 'DATABASE_URL: connects to the host postgres without TLS'],
          ...(hosting.environment === 'production'
            ? ([['WITH_UI=true', 'WITH_UI: is true in production']] as const)
            : []),
        ];
  it.each(refusals)('does not start with %s', (setting, problem) => {
    expect(tryApi({}, `--env=${setting}`)).toEqual([78, expect.stringContaining(problem)]);
  });

  it('is not migrated by a release that states another environment', () => {
    const { environment, status, says } = hosting.elsewhere;
    const release = ['run', '--rm', '--no-deps', '--no-TTY', `--env=ENVIRONMENT=${environment}`, 'migrate'];
    const outcome = host.compose(...release);
    expect([outcome.status, outcome.output]).toEqual([status, expect.stringContaining(says)]);
  });

  it('runs the release commands', () => {
    const release = (...command: string[]) =>
      host.compose('run', '--rm', '--no-deps', '--no-TTY', 'migrate', 'airlock', ...command);
    expect(succeeded(release('config', 'check', '--program', 'migrate'))).toBe(true);
    expect(succeeded(release('db', 'status'))).toBe(true);
  });

  it(hosting.environment === 'production' ? 'refuses sample rows' : 'takes sample rows, once', () => {
    const seed = () => {
      const words = ['--rm', '--no-deps', '--no-TTY', 'migrate', 'airlock', 'db', 'seed', '--if-empty'];
      const { status, output } = host.compose('run', ...words);
      return [status, output];
    };
    const said =
      hosting.environment === 'production'
        ? ([3, 'seeds are sample data, and this is production'] as const)
        : ([0, '300 rows added, 0 already existed'] as const);
    expect(seed()).toEqual([said[0], expect.stringContaining(said[1])]);
    if (said[0] === 0) expect(seed()).toEqual([0, expect.stringContaining('0 rows added, 0 already existed')]);
  });

  // One environment is enough: make test-deploy tests it on a swarm under more load.
  if (hosting.environment === 'staging') {
    it('loses no request when a replica is stopped', async () => {
      const proxy = new Proxy(`${name}-proxy`);
      try {
        const address = await proxy.setUp(folder, host.edgeNetwork);
        const [first] = host.containers('api');
        let exitCode: number | undefined;
        const stop = async () => (exitCode = await stopContainer(first?.Id ?? ''));
        const { good, lost } = await askWhile(`${address}/version`, stop);
        report('requests answered while a replica was stopped', String(good));
        expect([exitCode, lost]).toEqual([0, []]);
        expect(good).toBeGreaterThan(100);
      } finally {
        proxy.tearDown();
      }
    });
  }

  it('keeps its data on down, and leaves nothing after the data is removed too', () => {
    expect(succeeded(host.compose('down'))).toBe(true);
    // Certificates belong to an edge. A preview does not have its own, and no archive.
    const isPreview = hosting.environment === 'preview';
    const kept = [...(edgeImages && !isPreview ? ['acme'] : []), ...(isPreview ? [] : ['archive']), 'postgres'];
    expect(listProject(host.project)).toEqual(kept.map((name) => `volume ${host.project}_${name}`));
    expect(succeeded(host.compose('down', '--volumes', '--remove-orphans'))).toBe(true);
    expect(listProject(host.project)).toEqual([]);
  });
});

describe('a host', () => {
  it('runs an image that was built on a pinned base', () => {
    const { Labels } = inspectImage(`${registry.address}/airlock:${commit}`).Config;
    const facts = { dockerfile: '', labels: Labels ?? {}, isRelease: true } as ImageFacts;
    expect(imageRules.find(({ id }) => id === 'D1')?.check(facts)).toEqual([]);
  });
});
