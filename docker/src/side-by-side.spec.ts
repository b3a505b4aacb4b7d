import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { probedResource } from '@airlock/model/probed-resource';
import { Checkout } from './checkout.fixture.js';
import { CONFINED, describeConfinement, listProject } from './containers.fixture.js';
import { report, run, waitFor, type Outcome } from './engine.fixture.js';
import { Internet, WAYS } from './internet.fixture.js';

const checkout = new Checkout();
const ENVIRONMENTS = ['development', 'testing'] as const;

beforeAll(() => checkout.setUp());
afterAll(() => {
  const left = checkout.tearDown();
  if (left.length > 0) throw new Error(`left behind: ${left.join(', ')}`);
});

const up = () => checkout.compose('up', '--build', '--wait', '--detach');
const upTesting = () => checkout.testing('up', '--build', '--wait', '--detach');

/** The outcome, with the output of a failed command. */
const succeeded = ({ status, output }: Outcome) => (status === 0 ? true : output.slice(-4000));

const sql = (compose: Checkout['compose'], database: string, text: string) =>
  compose('exec', '--no-TTY', 'postgres', 'psql', '--username=postgres', `--dbname=${database}`, '-XAtc', text);
const inDevelopment = (text: string) => sql((...args) => checkout.compose(...args), 'airlock_development', text);
const inTesting = (text: string) => sql((...args) => checkout.testing(...args), 'airlock_test', text);

describe('a clean clone', () => {
  it('serves after `docker compose up`', async () => {
    // Files that a host may have here; the container must not run them.
    const foreign = join(checkout.folder, 'node_modules/fastify');
    mkdirSync(foreign, { recursive: true });
    writeFileSync(join(foreign, 'package.json'), '{"name":"fastify","main":"index.js"}');
    writeFileSync(join(foreign, 'index.js'), 'throw new Error("from the host")');
    const outcome = up();
    report('docker compose up in a clean clone', `${outcome.seconds.toFixed(1)} s`);
    expect(succeeded(outcome)).toBe(true);
    expect(await checkout.fetchText('/readyz')).toContain('"status":"ok"');
  });

  it('accepts a token of its own `airlock token`', async () => {
    expect(await checkout.fetchText(probedResource.path)).toBeUndefined();
    const token = checkout.compose('exec', '--no-TTY', 'api', 'airlock', 'token', '--sub=user_ada').output.trim();
    const rows = await checkout.fetchText(probedResource.path, { authorization: `Bearer ${token}` });
    // The sample rows of `airlock db seed`.
    expect((JSON.parse(rows ?? '{}') as { items?: object[] }).items).toHaveLength(20);
  });

  it('runs the test environment at the same time', () => {
    const outcome = upTesting();
    report('docker/compose testing up beside it', `${outcome.seconds.toFixed(1)} s`);
    expect(succeeded(outcome)).toBe(true);
    for (const environment of ENVIRONMENTS)
      expect([...checkout.inspectContainers(environment).keys()].sort()).toEqual(['api', 'postgres', 'redis']);
  });
});

describe('development and testing', () => {
  it('share no network, volume or database address', () => {
    const [development, testing] = ENVIRONMENTS.map((environment) =>
      [...checkout.inspectContainers(environment).values()].flatMap((container) => [
        ...Object.keys(container.NetworkSettings.Networks),
        ...container.Mounts.flatMap(({ Type, Name }) => (Type === 'volume' && Name ? [Name] : [])),
      ]),
    ) as [string[], string[]];
    expect(development.filter((claim) => testing.includes(claim))).toEqual([]);
  });

  it('differ in their way out: testing has none', async () => {
    const internet = new Internet(`${checkout.projectOf('testing')}`);
    try {
      await internet.start();
      const idOf = (environment: string) => checkout.inspectContainers(environment).get('api')?.Id ?? '';
      const [testing, development] = [idOf('testing'), idOf('development')];
      expect(await internet.plant(testing, internet.addressesFor(testing))).toEqual([]);
      expect(await internet.plant(development)).toHaveLength(WAYS.length);
    } finally {
      internet.stop();
    }
  });

  it.each([
    ['development', inDevelopment, 'airlock_development'],
    ['testing', inTesting, 'airlock_test'],
  ] as const)('hold databases that say %s', (environment, ask, database) => {
    const stamp = ask('SELECT environment, database_name FROM ops.environment').output.trim();
    expect(stamp).toBe(`${environment}|${database}`);
  });

  it('keep data on a volume, and in memory without syncing', () => {
    const dataOf = (environment: string) =>
      checkout
        .inspectContainers(environment)
        .get('postgres')
        ?.Mounts.find((mount) => mount.Type === 'volume');
    expect(dataOf('development')?.Destination).toBe('/var/lib/postgresql');
    expect(inDevelopment('SHOW data_directory').output.trim()).toBe('/var/lib/postgresql/18/docker');
    expect(inDevelopment('SHOW fsync').output.trim()).toBe('on');
    expect(inTesting('SHOW fsync').output.trim()).toBe('off');
    const mounts = checkout.testing('exec', '--no-TTY', 'postgres', 'cat', '/proc/mounts').output;
    expect(mounts).toMatch(/ \/var\/lib\/postgresql tmpfs /);
  });

  it.each(ENVIRONMENTS)('limit the containers of %s, without privileges', (environment) => {
    for (const [service, container] of checkout.inspectContainers(environment))
      expect(describeConfinement(container)).toEqual({
        ...CONFINED,
        service,
        user: expect.not.stringMatching(/^(0|root)?(:|$)/),
      });
  });
});

describe('an edit on the host', () => {
  const source = () => join(checkout.folder, 'libs/service/src/app/version.ts');
  const serveAs = (name: string) => {
    const text = readFileSync(source(), 'utf8');
    writeFileSync(source(), text.replace(/name: service\.name( \+ '.*')?,/, `name: service.name + '${name}',`));
  };
  const isServed = (name: string) => async () => (await checkout.fetchText('/version'))?.includes(name) || undefined;

  it('is served from the container', async () => {
    const times: number[] = [];
    for (const name of ['-one', '-two', '-three', '-four', '-five']) {
      serveAs(name);
      times.push((await waitFor(`an edit to ${name}`, isServed(name))).ms);
    }
    const sorted = times.map(Math.round).sort((a, b) => a - b);
    report('edit to changed answer, five times', `${sorted.join(', ')} ms; median ${sorted[2]} ms`);
    expect(times).toHaveLength(5);
  });

  it('with a syntax error is reported, and the next one recovers', async () => {
    const good = readFileSync(source(), 'utf8');
    writeFileSync(source(), `${good}\nexport const = 1;`);
    const isShown = () => checkout.compose('logs', 'api').output.includes('Waiting for the next edit') || undefined;
    await waitFor('the message', () => Promise.resolve(isShown()));
    writeFileSync(source(), good);
    serveAs('-again');
    expect((await waitFor('the recovery', isServed('-again'))).value).toBe(true);
  });

  it('of a file that the image is built from rebuilds and restarts it under `docker compose watch`', async () => {
    const dockerfile = join(checkout.folder, 'docker/api.Dockerfile');
    const text = readFileSync(dockerfile, 'utf8');
    const before = checkout.inspectContainers('development').get('api')?.Id;
    const watch = checkout.follow('watch', '--no-up');
    let said = '';
    for (const stream of [watch.stdout, watch.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
    await waitFor('the watch', () => Promise.resolve(said.includes('Watch enabled') || undefined));
    writeFileSync(dockerfile, `${text}# edited\n`);
    const isAnew = async () => {
      const id = checkout.inspectContainers('development').get('api')?.Id;
      return (id !== undefined && id !== before && (await isServed('-again')())) || undefined;
    };
    const { ms } = await waitFor('another container', isAnew, 120_000);
    report('edit of the Dockerfile to an answer from another container', `${(ms / 1000).toFixed(1)} s`);
    watch.kill('SIGINT');
    await once(watch, 'exit');
    writeFileSync(dockerfile, text);
  });

  it('affects only the container: nothing is written to the checkout', () => {
    const changed = run('git', ['status', '--porcelain', '--ignored'], checkout.folder)
      .split('\n')
      .map((line) => line.slice(-40));
    expect(changed.filter((line) => !/version\.ts|node_modules|\.env$/.test(line))).toEqual([]);
  });
});

describe('data', () => {
  const KEPT = probedResource.insert('user_kept');
  const COUNT = probedResource.count('user_kept');

  it('of development survives down and up', () => {
    expect(succeeded(inDevelopment(KEPT))).toBe(true);
    expect(succeeded(checkout.compose('down'))).toBe(true);
    expect(succeeded(up())).toBe(true);
    expect(inDevelopment(COUNT).output.trim()).toBe('1');
  });

  it('of testing does not', () => {
    expect(succeeded(inTesting(KEPT))).toBe(true);
    expect(succeeded(checkout.testing('down'))).toBe(true);
    expect(succeeded(upTesting())).toBe(true);
    expect(inTesting(COUNT).output.trim()).toBe('0');
  });

  it('of development is kept when testing is removed with its volumes', async () => {
    expect(succeeded(checkout.testing('down', '--volumes', '--remove-orphans'))).toBe(true);
    expect(inDevelopment(COUNT).output.trim()).toBe('1');
    await waitFor('the API', async () => (await checkout.fetchText('/readyz'))?.includes('"status":"ok"') || undefined);
  });
});

describe('the test runner', () => {
  it.each([0, 7])('exits with the exit code %i of its command', (code) => {
    expect(
      checkout.testing('run', '--rm', '--no-TTY', '--build', 'tests', 'node', '-e', `process.exit(${code})`).status,
    ).toBe(code);
  });

  it('runs whole projects against the PostgreSQL and the Redis of the test environment', () => {
    // All projects take minutes (docs/docker.md); these take seconds.
    const command = ['node', 'tools/run-tests.mjs', '--projects=health,smoke', '--parallel=1'];
    const outcome = checkout.testing('run', '--rm', '--no-TTY', 'tests', ...command);
    report('two projects in the test runner', `${outcome.seconds.toFixed(1)} s`);
    expect(succeeded(outcome)).toBe(true);
    const said = stripVTControlCharacters(outcome.output);
    expect(said).toMatch(/^ {2}smoke +\d+ passed, 0 failed$/m);
    expect(said).toMatch(/^ {2}health +\d+ passed, 0 failed$/m);
  });

  it('gives every test file with a database a clone on that server', () => {
    const spec = 'src/testing/fixture/use-test-database.spec.ts';
    const outcome = checkout.testing('run', '--rm', '--no-TTY', 'tests', 'nx', 'test', 'database-dev', '--', spec);
    expect(succeeded(outcome)).toBe(true);
    expect(stripVTControlCharacters(outcome.output)).toMatch(/Tests: +\d+ passed/);
  });
});

describe('a test database server with a full disk', () => {
  const fill = (...command: string[]) => succeeded(checkout.testing('exec', '--no-TTY', 'postgres', ...command));
  afterAll(() => void fill('rm', '-f', '/var/lib/postgresql/filler'));

  it('is reported as the reason', () => {
    // Space for the server itself and a new log segment, but not for one more database.
    inTesting('SELECT pg_switch_wal()');
    const filler = '/var/lib/postgresql/filler';
    fill('sh', '-c', `dd if=/dev/zero of=${filler} bs=1M; truncate --size=-6M ${filler}`);
    const spec = 'src/testing/fixture/use-test-database.spec.ts';
    const command = ['nx', 'test', 'database-dev', '--', spec];
    const { status, output } = checkout.testing('run', '--rm', '--no-TTY', '--no-deps', 'tests', ...command);
    expect([status, output]).toEqual([
      1,
      expect.stringContaining('test databases: their server has no space left; expected about 10 MB for each'),
    ]);
  });
});

describe('a password that is newer than the volume', () => {
  it('is explained, with both fixes', () => {
    checkout.setEnv('POSTGRES_PASSWORD=another');
    const { status } = up();
    const said = checkout.compose('logs', '--no-log-prefix', 'provision').output;
    expect(status).not.toBe(0);
    expect(said).toContain(
      'DATABASE_ADMIN_URL: the server rejects the password of "postgres"; expected the password that its data was created with',
    );
    expect(said).toContain(
      `keep the data:   docker compose exec postgres psql --username=postgres --command='\\password'`,
    );
    expect(said).toContain('or start over:   docker compose down --volumes');
  });

  it('is fixed by the first command, which keeps the data', () => {
    expect(succeeded(inDevelopment(`ALTER ROLE postgres PASSWORD 'another'`))).toBe(true);
    expect(succeeded(up())).toBe(true);
    expect(inDevelopment(probedResource.count('user_kept')).output.trim()).toBe('1');
  });

  it('is fixed by the second command, without the data and with a new .env', () => {
    expect(succeeded(checkout.compose('down', '--volumes'))).toBe(true);
    checkout.removeEnv();
    expect(succeeded(checkout.make('up'))).toBe(true);
    expect(inDevelopment(probedResource.count('user_kept')).output.trim()).toBe('0');
  });
});

describe('make', () => {
  it('down keeps the data, and leaves nothing running', () => {
    expect(succeeded(checkout.make('down'))).toBe(true);
    const project = checkout.projectOf('development');
    expect(listProject(project)).toEqual([`volume ${project}_postgres`]);
  });

  it('up names the fix for a port that is in use', async () => {
    const holder = createServer().listen(Number(checkout.apiPort), '127.0.0.1');
    await once(holder, 'listening');
    const { status, output } = checkout.make('up');
    await once(holder.close(), 'close');
    expect([status, output]).toEqual([2, expect.stringMatching(/address already in use|port is already allocated/)]);
    expect(output).toContain('If a port is in use, set API_PORT, POSTGRES_PORT or REDIS_PORT in .env.');
  });

  it('up explains an incomplete data folder', () => {
    // The first start of the image writes this line last: a server that was killed before does not have it.
    expect(succeeded(checkout.make('up'))).toBe(true);
    const forget = `sed -i '/^host all all all/d' "$PGDATA/pg_hba.conf"`;
    expect(succeeded(checkout.compose('exec', '--no-TTY', 'postgres', 'sh', '-c', forget))).toBe(true);
    expect(succeeded(checkout.make('down'))).toBe(true);
    expect(checkout.make('up').status).toBe(2);
    const said = checkout.compose('logs', '--no-log-prefix', 'provision').output;
    expect(said).toContain(
      'DATABASE_ADMIN_URL: the server accepts no connection from this machine; expected a line in its pg_hba.conf',
    );
    expect(said).toContain('docker compose down --volumes');
  });
});
