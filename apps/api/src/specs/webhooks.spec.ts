import { createHmac } from 'node:crypto';
import { type Config, Secret } from '@airlock/config';
import { EntityRecord } from '@airlock/model/orm';
import { Database, Operation, type SignatureScheme, standardWebhooks } from '@airlock/service';
import { signWebhook } from '@airlock/service/testing';
import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import * as nest from '@nestjs/common';
import * as zod from 'zod';
import { readCode, runCode } from '../testing/page-code.fixture.js';
import { useTestApi } from '../testing/use-test-api.fixture.js';

type CreateScheme = (keys: SignatureScheme['keys']) => SignatureScheme;

const createKey = (letter: string) => `whsec_${Buffer.from(letter.repeat(32)).toString('base64')}`;
const [KEY, PREVIOUS] = [createKey('k'), createKey('p')];
const TEXT_KEY = 'the characters of this text';
const [route = '', schemes = '', ...others] = readCode('webhooks.md');
const modules = {
  '@airlock/service': { Database, Operation, standardWebhooks },
  '@airlock/model/orm': { EntityRecord },
  '@nestjs/common': nest,
  zod,
};
const { CarrierEventsController } = runCode(route, modules) as { CarrierEventsController: nest.Type };
const { stripe, github } = runCode(schemes, modules) as { stripe: CreateScheme; github: CreateScheme };

const describeRoute = (createScheme: CreateScheme) =>
  Operation({
    summary: 'Receive',
    response: { status: 204 },
    access: { signature: createScheme(() => [new Secret(TEXT_KEY)]) },
  });

@nest.Controller('schemes')
class Schemes {
  @nest.Post('stripe')
  @nest.HttpCode(204)
  @describeRoute(stripe)
  stripe() {
    return undefined;
  }

  @nest.Post('github')
  @nest.HttpCode(204)
  @describeRoute(github)
  github() {
    return undefined;
  }
}
@nest.Module({ controllers: [CarrierEventsController, Schemes] })
class CarrierModule {}

describe('docs/webhooks.md', () => {
  const api = useTestApi({
    imports: [{ module: CarrierModule }],
    configure: (config) =>
      ({ ...config, carrier: { carrierKey: new Secret(KEY), carrierPreviousKey: new Secret(PREVIOUS) } }) as Config,
  });
  beforeAll(async () => {
    for (const sql of [
      'CREATE TABLE public.deliveries (id text, owner_id text, PRIMARY KEY (owner_id, id))',
      `CREATE POLICY deliveries_owner ON public.deliveries USING (owner_id = current_setting('app.user_id', true))`,
      'ALTER TABLE public.deliveries ENABLE ROW LEVEL SECURITY',
      'GRANT SELECT, INSERT ON public.deliveries TO PUBLIC',
    ])
      await api.database.query(sql);
  });
  // The reset after each test knows the tables of the model only.
  beforeEach(() => api.database.query('TRUNCATE public.deliveries'));

  const post = async (path: string, payload: string, headers: Record<string, string>) => {
    const request = { method: 'POST', url: `/api/v1/${path}`, payload } as const;
    const response = await api.request({ ...request, headers: { 'content-type': 'application/json', ...headers } });
    return response.statusCode;
  };
  const deliver = (key: string, id: string) => {
    const body = JSON.stringify({ account: 'user_1', name: 'Kettle' });
    return post('carrier-events', body, signWebhook({ key, body, id }));
  };
  const readNames = () => api.database.query(`SELECT name FROM entities WHERE owner_id = 'user_1'`);

  it('has two blocks', () => expect([schemes === '', others]).toEqual([false, []]));

  it('receives an event, and does the work of a repetition only once', async () => {
    expect(await Promise.all([deliver(KEY, 'msg_1'), deliver(KEY, 'msg_1')])).toEqual([204, 204]);
    expect(await deliver(PREVIOUS, 'msg_1')).toBe(204);
    expect(await readNames()).toEqual([{ name: 'Kettle' }]);
    expect(await deliver(PREVIOUS, 'msg_2')).toBe(204);
    expect(await readNames()).toHaveLength(2);
  });

  it('refuses another key', async () => {
    expect(await deliver(createKey('f'), 'msg_1')).toBe(401);
    expect(await readNames()).toEqual([]);
  });

  const hmac = (text: string) => createHmac('sha256', TEXT_KEY).update(text).digest('hex');
  const seconds = String(Math.floor(Date.now() / 1_000));
  const old = String(Number(seconds) - 600);
  it.each<[string, 'stripe' | 'github', string, string | undefined]>([
    ['the signature', 'stripe', `t=${seconds},v1=${hmac(`${seconds}.{}`)},v0=00`, undefined],
    ['a second signature', 'stripe', `t=${seconds},v1=${hmac('other')},v1=${hmac(`${seconds}.{}`)}`, undefined],
    ['another body', 'stripe', `t=${seconds},v1=${hmac('other')}`, 'signature-mismatch'],
    ['an old time', 'stripe', `t=${old},v1=${hmac(`${old}.{}`)}`, 'timestamp-outside-tolerance'],
    ['two times', 'stripe', `t=${seconds},t=${old},v1=${hmac(`${old}.{}`)}`, 'signature-mismatch'],
    ['no time', 'stripe', `v1=${hmac(`${seconds}.{}`)}`, 'signature-malformed'],
    ['no value', 'stripe', `t=${seconds},v1`, 'signature-malformed'],
    ['the signature', 'github', `sha256=${hmac('{}')}`, undefined],
    ['another body', 'github', `sha256=${hmac('{ }')}`, 'signature-mismatch'],
    ['another algorithm', 'github', `sha1=${hmac('{}')}`, 'signature-malformed'],
    ['no algorithm', 'github', hmac('{}'), 'signature-malformed'],
  ])('judges %s for %s', async (_, scheme, value, reason) => {
    const name = { stripe: 'stripe-signature', github: 'x-hub-signature-256' }[scheme];
    expect(await post(`schemes/${scheme}`, '{}', { [name]: value })).toBe(reason === undefined ? 204 : 401);
    expect(api.lines.find(({ event }) => event === 'request')?.['auth_refusal']).toBe(reason);
  });
});
