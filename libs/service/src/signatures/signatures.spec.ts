import { createHmac } from 'node:crypto';
import { request as send } from 'node:http';
import { text } from 'node:stream/consumers';
import { Secret } from '@airlock/config';
import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Body, Controller, Get, Headers, HttpCode, Module, Post } from '@nestjs/common';
import { z } from 'zod';
import { createApp } from '../app/create-app.js';
import { currentContext } from '../context/request-context.js';
import { Database } from '../data/database.js';
import { createOpenApi } from '../openapi/create-openapi.js';
import { Operation } from '../openapi/operation.js';
import { signWebhook } from '../testing/sign-webhook.fixture.js';
import { useTestApp } from '../testing/use-test-app.fixture.js';
import type { SignatureScheme } from './signature-scheme.js';
import { standardWebhooks } from './standard-webhooks.js';
import { defineService } from '../testing/define-service.fixture.js';

const createKey = (letter: string) => `whsec_${Buffer.from(letter.repeat(32)).toString('base64')}`;
const [KEY, PREVIOUS, FOREIGN] = [createKey('k'), createKey('p'), createKey('f')];
const TEXT_KEY = 'a key of a scheme that uses its characters';
const keysOf =
  (...keys: string[]) =>
  () =>
    keys.map((key) => new Secret(key));

const partner = standardWebhooks(keysOf(KEY, PREVIOUS));
/** GitHub's: `sha256=` and hex, without a time. */
const hub: SignatureScheme = {
  name: 'hub',
  headers: ['x-hub-signature-256'],
  keys: keysOf(TEXT_KEY),
  read(header) {
    const [, hex] = /^sha256=([0-9a-f]{64})$/.exec(header('x-hub-signature-256')) ?? [];
    return hex === undefined ? undefined : { prefix: '', signatures: [Buffer.from(hex, 'hex')] };
  },
};
const RESPONSE = { status: 200, schema: z.object({ seen: z.unknown() }).meta({ id: 'SignedSeen' }) } as const;
const BODY = { schema: z.strictObject({ name: z.string() }).meta({ id: 'SignedNamed' }) };

let calls = 0;
@Controller('deliveries')
class Deliveries {
  constructor(private readonly database: Database) {}

  @Post()
  @HttpCode(200)
  @Operation({ summary: 'Receive a delivery', response: RESPONSE, access: { signature: partner } })
  receive(@Body(BODY) { name }: { name: string }, @Headers('webhook-id') id: string) {
    calls += 1;
    return { seen: { name, id, userId: currentContext()?.userId } };
  }

  @Post('hub')
  @HttpCode(200)
  @Operation({ summary: 'Receive a push', response: RESPONSE, access: { signature: hub } })
  push(@Body(BODY) { name }: { name: string }) {
    return { seen: name };
  }

  @Post('count')
  @HttpCode(200)
  @Operation({ summary: 'Count all parcels', response: RESPONSE, access: { signature: partner } })
  async count() {
    return { seen: await this.database.asSystem('spec: a delivery', (tx) => tx.query<object[]>('SELECT 1 AS one')) };
  }

  @Post('mine')
  @HttpCode(200)
  @Operation({ summary: 'Add a parcel', response: RESPONSE })
  mine(@Body(BODY) { name }: { name: string }) {
    return { seen: name };
  }
}
@Module({ controllers: [Deliveries] })
class DeliveriesModule {}

const URL_PATH = '/api/v1/deliveries';
const JSON_TYPE = { 'content-type': 'application/json' };
const GOOD = '{"name":"parcel"}';
const now = (difference = 0) => String(Math.floor(Date.now() / 1_000) + difference);

type Sent = Readonly<Record<string, string | string[]>>;
interface Attack {
  readonly body?: string | Buffer;
  readonly headers?: Sent;
  readonly path?: string;
  /** Sends the body in so many chunks, without a Content-Length. */
  readonly chunks?: number;
}

describe('a route that requires a signature', () => {
  const app = useTestApp(defineService(DeliveriesModule));
  let url = '';
  beforeAll(async () => {
    await app.app.nest.listen(0, '127.0.0.1');
    url = await app.app.nest.getUrl();
  });
  beforeEach(() => void (calls = 0));

  /** Over a socket, because the exact bytes and headers matter. */
  const post = ({ body = GOOD, headers = {}, path = '', chunks }: Attack) =>
    new Promise<{ status: number; body: Record<string, unknown>; headers: Record<string, unknown> }>(
      (resolve, reject) => {
        const bytes = Buffer.from(body);
        const length = chunks === undefined ? { 'content-length': String(bytes.length) } : {};
        const request = send(`${url}${URL_PATH}${path}`, {
          method: 'POST',
          agent: false,
          headers: { ...JSON_TYPE, ...length, ...headers },
        });
        request.once('error', reject).once('response', (response) => {
          text(response).then((read) => {
            const { statusCode: status = 0, headers: seen } = response;
            resolve({ status, headers: seen, body: JSON.parse(read) as Record<string, unknown> });
          }, reject);
        });
        const size = Math.ceil(bytes.length / (chunks ?? 1)) || 1;
        for (let at = 0; at < bytes.length; at += size) request.write(bytes.subarray(at, at + size));
        request.end();
      },
    );
  const refusal = () => app.lines.find(({ event }) => event === 'request');

  it.each<[string, Attack]>([
    ['a signature of the body', { headers: signWebhook({ key: KEY, body: GOOD, id: 'msg_1' }) }],
    ['the previous key', { headers: signWebhook({ key: PREVIOUS, body: GOOD, id: 'msg_1' }) }],
    ['a body in chunks', { chunks: 5, headers: signWebhook({ key: KEY, body: GOOD, id: 'msg_1' }) }],
    ['another case of the header names', { headers: upper(signWebhook({ key: KEY, body: GOOD, id: 'msg_1' })) }],
    [
      'a token that is ignored',
      { headers: { authorization: 'Bearer x', ...signWebhook({ key: KEY, body: GOOD, id: 'msg_1' }) } },
    ],
    ['several signatures', { headers: withOthers(signWebhook({ key: KEY, body: GOOD, id: 'msg_1' })) }],
    [
      'a time just inside of the tolerance',
      { headers: signWebhook({ key: KEY, body: GOOD, id: 'msg_1', timestamp: now(-280) }) },
    ],
  ])('accepts %s', async (_, attack) => {
    const { status, body } = await post(attack);
    expect({ status, body }).toEqual({ status: 200, body: { seen: { name: 'parcel', id: 'msg_1' } } });
    expect(refusal()).toMatchObject({ user: null, status_code: 200 });
  });

  const signed = signWebhook({ key: KEY, body: GOOD });
  const without = (name: string) => Object.fromEntries(Object.entries(signed).filter(([key]) => key !== name));
  const at = (timestamp: string) => signWebhook({ key: KEY, body: GOOD, timestamp });
  it.each<[string, string, Attack]>([
    ['no signature at all', 'signature-missing', {}],
    ['no id', 'signature-missing', { headers: without('webhook-id') }],
    ['no time', 'signature-missing', { headers: without('webhook-timestamp') }],
    ['no signature', 'signature-missing', { headers: without('webhook-signature') }],
    ['another body', 'signature-mismatch', { headers: signed, body: '{"name":"percal"}' }],
    ['the same JSON in other bytes', 'signature-mismatch', { headers: signed, body: '{"name": "parcel"}' }],
    ['an escape in the same JSON', 'signature-mismatch', { headers: signed, body: '{"name":"p\\u0061rcel"}' }],
    ['a line end after the body', 'signature-mismatch', { headers: signed, body: `${GOOD}\n` }],
    ['an empty body', 'signature-mismatch', { headers: signed, body: '' }],
    ['an empty body in no chunks', 'signature-mismatch', { headers: signed, body: '', chunks: 1 }],
    ['a body that is not JSON', 'signature-mismatch', { headers: signed, body: '{' }],
    ['a body with a forbidden key', 'signature-mismatch', { headers: signed, body: '{"__proto__":{"a":1}}' }],
    ['the key of another environment', 'signature-mismatch', { headers: signWebhook({ key: FOREIGN, body: GOOD }) }],
    ['another id', 'signature-mismatch', { headers: { ...signed, 'webhook-id': 'msg_other' } }],
    ['another time', 'signature-mismatch', { headers: { ...signed, 'webhook-timestamp': now(-7) } }],
    ['a repeated id', 'signature-malformed', { headers: { ...signed, 'webhook-id': ['msg_1', 'msg_2'] } }],
    ['a repeated time', 'signature-malformed', { headers: { ...signed, 'webhook-timestamp': [now(), now()] } }],
    ['a repeated signature', 'signature-malformed', { headers: repeat(signed) }],
    ['an empty signature', 'signature-malformed', { headers: { ...signed, 'webhook-signature': '' } }],
    ['a signature without a version', 'signature-malformed', { headers: edit(signed, (text) => text.slice(3)) }],
    [
      'a signature of another version',
      'signature-malformed',
      { headers: edit(signed, (text) => `v2${text.slice(2)}`) },
    ],
    ['a short signature', 'signature-malformed', { headers: edit(signed, (text) => text.slice(0, 15)) }],
    ['a long signature', 'signature-malformed', { headers: edit(signed, (text) => text.replace('=', 'AAAAA')) }],
    ['an id with a dot', 'signature-malformed', { headers: signWebhook({ key: KEY, body: GOOD, id: 'a.1' }) }],
    [
      'an id that is too long',
      'signature-malformed',
      { headers: signWebhook({ key: KEY, body: GOOD, id: 'a'.repeat(256) }) },
    ],
    ['a time that is not a number', 'signature-malformed', { headers: at('NaN') }],
    ['a negative time', 'signature-malformed', { headers: at('-1') }],
    ['a time in hexadecimal', 'signature-malformed', { headers: at('0x69280000') }],
    ['a fraction of a second', 'signature-malformed', { headers: at(`${now()}.5`) }],
    ['an infinite time', 'signature-malformed', { headers: at('Infinity') }],
    ['milliseconds', 'signature-malformed', { headers: at(String(Date.now())) }],
    ['an old time', 'timestamp-outside-tolerance', { headers: at(now(-320)) }],
    ['a future time', 'timestamp-outside-tolerance', { headers: at(now(320)) }],
    ['the first second', 'timestamp-outside-tolerance', { headers: at('0') }],
    ['the signature of another scheme', 'signature-missing', { headers: { 'x-hub-signature-256': hubSign(GOOD) } }],
  ])('refuses %s', async (_, cause, attack) => {
    const { status, body, headers } = await post(attack);
    expect(status).toBe(401);
    // All refusals look the same to the sender.
    expect(body).toEqual({
      type: 'urn:airlock:problem:unauthenticated',
      title: 'A valid bearer token or signature is required',
      status: 401,
      code: 'unauthenticated',
      instance: expect.any(String),
    });
    expect(headers['www-authenticate']).toBe('standard-webhooks');
    expect(refusal()).toMatchObject({ level: 'warn', status_code: 401, auth_refusal: cause });
    expect(calls).toBe(0);
    const log = JSON.stringify(app.lines);
    for (const secret of ['whsec_', 'kkkkkkkk', Buffer.from('kkkkkkkkk').toString('base64'), 'parcel', 'v1,'])
      expect(log).not.toContain(secret);
  });

  it('refuses a token in place of a signature, and a signature in place of a token', async () => {
    const authorization = `Bearer ${await app.issuer.sign()}`;
    expect((await post({ headers: { authorization } })).status).toBe(401);
    expect((await post({ path: '/mine', headers: { authorization } })).status).toBe(200);
    expect((await post({ path: '/mine', headers: signWebhook({ key: KEY, body: GOOD }) })).status).toBe(401);
  });

  it.each<[string, number, Attack & { body: string | Buffer }]>([
    ['bytes that are not UTF-8', 400, { body: Buffer.from([0x22, 0xff, 0x22]) }],
    ['text that is not JSON', 400, { body: '{' }],
    ['a forbidden key', 400, { body: '{"name":"a","__proto__":{"a":1}}' }],
    ['a depth beyond the limit', 413, { body: '['.repeat(20) + ']'.repeat(20) }],
    ['a body beyond the limit', 413, { body: JSON.stringify({ name: 'a'.repeat(300_000) }) }],
    ['a chunked body beyond the limit', 413, { body: JSON.stringify({ name: 'a'.repeat(300_000) }), chunks: 20 }],
    ['no body', 422, { body: '' }],
    ['an unknown property', 422, { body: '{"name":"a","more":1}' }],
    ['a content encoding', 415, { body: GOOD, headers: { 'content-encoding': 'gzip' } }],
    ['a form', 415, { body: 'name=a', headers: { 'content-type': 'application/x-www-form-urlencoded' } }],
  ])('applies the rules of bodies also to a signed one: %s', async (_, status, { body, headers, ...rest }) => {
    expect((await post({ ...rest, body, headers: { ...signWebhook({ key: KEY, body }), ...headers } })).status).toBe(
      status,
    );
    expect(calls).toBe(0);
  });

  it('refuses a large body without a signature before it is read', async () => {
    expect((await post({ body: 'a'.repeat(300_000) })).status).toBe(401);
  });

  it('may act as the system, because the route names its callers', async () => {
    const { status } = await post({ path: '/count', headers: signWebhook({ key: KEY, body: GOOD }) });
    expect(status).toBe(200);
  });

  it('accepts the scheme of another product', async () => {
    const headers = { 'x-hub-signature-256': hubSign(GOOD) };
    expect((await post({ path: '/hub', headers })).body).toEqual({ seen: 'parcel' });
    expect((await post({ path: '/hub', headers, body: '{"name":"other"}' })).status).toBe(401);
    expect(refusal()).toMatchObject({ status_code: 200 });
    const malformed = { 'x-hub-signature-256': hubSign(GOOD).replace('sha256', 'sha1') };
    expect((await post({ path: '/hub', headers: malformed })).headers['www-authenticate']).toBe('hub');
  });

  it('agrees with the example of the specification', () => {
    const headers = signWebhook({
      key: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
      id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      timestamp: '1614265330',
      body: '{"test": 2432232314}',
    });
    expect(headers['webhook-signature']).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
  });

  it('stands in the document with its headers', () => {
    const document = createOpenApi({ ...defineService(DeliveriesModule), version: '1', prefix: '' }) as {
      paths: Record<string, Record<'post', { security: object[]; parameters: { name: string }[]; responses: object }>>;
      components: { securitySchemes: object };
    };
    const { security, parameters, responses } = document.paths['/deliveries']?.post ?? {};
    expect(security).toEqual([{ 'standard-webhooks': [] }]);
    expect(parameters?.map(({ name }) => name)).toEqual(['webhook-id', 'webhook-timestamp']);
    expect(Object.keys(responses ?? {})).toContain('401');
    expect(Object.keys(responses ?? {})).not.toContain('403');
    expect(document.components.securitySchemes).toMatchObject({
      bearer: {},
      'standard-webhooks': { type: 'apiKey', in: 'header', name: 'webhook-signature' },
      hub: { name: 'x-hub-signature-256' },
    });
  });

  it.each<[string, SignatureScheme, string]>([
    ['no key', standardWebhooks(() => [undefined]), 'has no key'],
    ['an empty key', standardWebhooks(keysOf('whsec_')), 'key 1 of standard-webhooks has 0 usable bytes'],
    ['a short key', standardWebhooks(keysOf(KEY, 'whsec_c2hvcnQ=')), 'key 2 of standard-webhooks has 5 usable bytes'],
    ['a key that is not base64', standardWebhooks(keysOf(`${KEY}!`)), 'has 0 usable bytes'],
    ['a short text', { ...hub, keys: keysOf('too short') }, 'key 1 of hub has 9 usable bytes'],
  ])('refuses the start with %s', async (_, scheme, message) => {
    const error = await startWith(scheme, 'POST').catch((reason: unknown) => reason as Error);
    expect(error).toMatchObject({ name: 'StartRefusal', message: expect.stringContaining(message) });
    expect(String(error)).toContain('POST /api/v1/bad');
    expect(String(error)).not.toMatch(/whsec_|c2hvcnQ|too short/);
  });

  it('refuses the start of a route without a body', async () => {
    await expect(startWith(partner, 'GET')).rejects.toThrow('GET /api/v1/bad: signs a body');
  });

  async function startWith(signature: SignatureScheme, method: 'GET' | 'POST'): Promise<unknown> {
    const Route = method === 'GET' ? Get : Post;
    @Controller('bad')
    class Bad {
      @Route()
      @HttpCode(200)
      @Operation({ summary: 'Bad', response: RESPONSE, access: { signature } })
      receive() {
        return { seen: 1 };
      }
    }
    @Module({ controllers: [Bad] })
    class BadModule {}
    const { config, logger, lifecycle, version } = app;
    return createApp(config, { definition: defineService(BadModule), logger, lifecycle, version });
  }
});

describe('a route that requires a signature, at the limit of its address', () => {
  const app = useTestApp(defineService(DeliveriesModule), {
    configure: (config) => ({ ...config, http: { ...config.http, rateLimitPerAddress: 2 } }),
  });

  it('responds 429, to valid and invalid requests alike', async () => {
    const ask = (headers: Record<string, string>) =>
      app.request({ method: 'POST', url: URL_PATH, payload: GOOD, headers: { ...JSON_TYPE, ...headers } });
    expect((await ask({})).statusCode).toBe(401);
    expect((await ask(signWebhook({ key: KEY, body: GOOD }))).statusCode).toBe(200);
    expect((await ask(signWebhook({ key: KEY, body: GOOD }))).statusCode).toBe(429);
    expect((await ask({})).statusCode).toBe(429);
  });
});

type Signed = ReturnType<typeof signWebhook>;

function edit(signed: Signed, change: (signature: string) => string): Signed {
  return { ...signed, 'webhook-signature': change(signed['webhook-signature']) };
}

function repeat(signed: Signed): Sent {
  return { ...signed, 'webhook-signature': [signed['webhook-signature'], signed['webhook-signature']] };
}

function withOthers(signed: Signed): Signed {
  const wrong = `v1,${Buffer.alloc(32).toString('base64')}`;
  return edit(signed, (right) => `${wrong} v1a,${'A'.repeat(86)}== v1,AAAA ${right} ${wrong}`);
}

function upper(signed: Signed): Record<string, string> {
  return Object.fromEntries(Object.entries(signed).map(([name, value]) => [name.toUpperCase(), value]));
}

function hubSign(body: string): string {
  return `sha256=${createHmac('sha256', TEXT_KEY).update(body).digest('hex')}`;
}
