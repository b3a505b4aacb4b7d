import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { useTestDatabase } from '@airlock/database-dev/testing';
import { type Received, TestIssuer, withReceiver } from '@airlock/service/testing';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ApiProcess } from '../testing/api-process.fixture.js';

jest.setTimeout(60_000);

const COMMIT = '0123456789abcdef0123456789abcdef01234567';
/** Prints at exit which packages the process has loaded, in a list that is short enough to be written at exit. */
const LIST_MODULES = `
  import { registerHooks } from 'node:module';
  const urls = new Set();
  const note = (url) => urls.add(url.replace(/.*(node_modules\\/(@[^/]+\\/)?[^/]+\\/).*/, '$1'));
  registerHooks({ load: (url, context, next) => (note(url), next(url, context)) });
  process.on('exit', () => console.log(JSON.stringify({ event: 'modules', urls: [...urls] })));`;
const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(LIST_MODULES)}`;
/** prom-client depends on the API of OpenTelemetry, which does nothing without the SDK. */
const OBSERVERS = /node_modules\/(@sentry\/|@opentelemetry\/(?!api\/))/;

describe('an observer', () => {
  const database = useTestDatabase();
  let issuer: TestIssuer;
  let folder: string;
  beforeAll(async () => {
    issuer = await TestIssuer.start();
    folder = mkdtempSync(join(tmpdir(), 'observers-'));
    await (
      await database.admin()
    ).query(`
      CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'broke on %', (SELECT setting FROM pg_settings WHERE name = 'port'); END $$;
      CREATE TRIGGER fail BEFORE INSERT ON entities FOR EACH ROW EXECUTE FUNCTION fail()`);
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await issuer.stop();
  });

  const run = async (env: Record<string, string>, use: (api: ApiProcess) => Promise<void>) => {
    const api = await ApiProcess.start({
      config: { ...database.config, auth: issuer.auth },
      env: { ...env, NODE_OPTIONS },
    });
    await use(api);
    api.signal('SIGTERM');
    expect((await api.exited).code).toBe(0);
    const { urls } = api.lines.find(({ event }) => event === 'modules') as unknown as { urls: string[] };
    return { lines: api.lines, observers: urls.filter((url) => OBSERVERS.test(url)), urls };
  };
  const list = async (api: ApiProcess) => {
    const headers = { authorization: `Bearer ${await issuer.sign()}` };
    expect((await fetch(`${api.url}/api/v1/entities`, { headers })).status).toBe(200);
  };

  it('is not loaded if no variable configures it, even after requests', async () => {
    const { observers, urls } = await run({}, list);
    expect(urls).toContain('node_modules/fastify/');
    expect(observers).toEqual([]);
  });

  it.each([
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'http://127.0.0.1:1', '@opentelemetry/sdk-trace/', '@sentry/core/'],
    ['SENTRY_DSN', 'https://public@127.0.0.1:1/1', '@sentry/core/', '@opentelemetry/sdk-trace/'],
  ])('is loaded if %s configures it, without the other one', async (name, value, loaded, absent) => {
    const { observers } = await run({ [name]: value }, list);
    expect(observers).toContain(`node_modules/${loaded}`);
    expect(observers).not.toContain(`node_modules/${absent}`);
  });

  it('of errors that is unavailable does not affect the caller, the process and its exit', async () => {
    await run({ SENTRY_DSN: 'https://public@127.0.0.1:1/1' }, async (api) => {
      for (let count = 0; count < 3; count += 1) {
        const headers = { authorization: `Bearer ${await issuer.sign()}`, 'content-type': 'application/json' };
        const init = { method: 'POST', headers, body: '{"name":"a"}' };
        expect((await fetch(`${api.url}/api/v1/entities`, init)).status).toBe(500);
      }
      await list(api);
    });
  });

  it('of errors receives unexpected errors with the id of the request, and no other data of it', async () => {
    const tls = createCertificate(folder);
    const secrets = [database.config.database.app.password.reveal(), 'typed-name', 'typed-query', 'typed-header'];
    await withReceiver(
      async (port, received) => {
        const env = {
          SENTRY_DSN: `https://publickey0123456789@127.0.0.1:${port}/42`,
          NODE_EXTRA_CA_CERTS: join(folder, 'cert.pem'),
          GIT_COMMIT: COMMIT,
        };
        await run(env, async (api) => {
          const token = await issuer.sign();
          secrets.push(token);
          const headers = {
            authorization: `Bearer ${token}`,
            'content-type': 'application/json',
            'x-request-id': 'request-0123456789',
            'x-typed': 'typed-header',
          };
          const body = JSON.stringify({ name: 'typed-name' });
          const url = `${api.url}/api/v1/entities?q=typed-query`;
          expect((await fetch(url, { method: 'POST', headers, body })).status).toBe(500);
          // An error that the caller caused is not reported.
          expect((await fetch(url, { method: 'POST', headers, body: '{' })).status).toBe(400);
        });
        expect(received.map(({ path }) => path.replace(/\?.*/, ''))).toEqual(['/api/42/envelope/']);
        expect(readEvent(received)).toMatchObject({
          environment: 'testing',
          release: COMMIT,
          tags: { request_id: 'request-0123456789', route: '/api/v1/entities', service: 'airlock-api' },
          exception: { values: [{ type: 'error', value: expect.stringMatching(/^P0001, routine exec_stmt_raise; /) }] },
        });
        const frames = readEvent(received).exception.values[0]?.stacktrace.frames ?? [];
        expect(frames.map(({ filename }) => filename.replace(/.*\//, ''))).toContain('entities.repository.ts');
        expect(received[0]?.body).not.toContain('broke on');
        for (const secret of secrets) expect(received[0]?.body).not.toContain(secret);
        expect(Object.keys(readEvent(received))).not.toEqual(expect.arrayContaining(['request']));
      },
      { tls },
    );
  });
});

interface ErrorEvent {
  readonly exception: { readonly values: { readonly stacktrace: { readonly frames: { filename: string }[] } }[] };
}

/** The item of a Sentry envelope, which follows the headers of the envelope and of the item. */
function readEvent(received: readonly Received[]): ErrorEvent {
  return JSON.parse(received[0]?.body.split('\n')[2] ?? '') as ErrorEvent;
}

/** The DSN must be https, so this is a certificate for this machine that the process trusts. */
function createCertificate(folder: string): { key: string; cert: string } {
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  const names = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
  execFileSync('openssl', ['req', ...kind, ...names, '-keyout', key, '-out', cert], { stdio: 'ignore' });
  return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
}
