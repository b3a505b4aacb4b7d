import * as crypto from 'node:crypto';
import type { Config } from '@airlock/config';
import { Operation } from '@airlock/service';
import { type HttpPeer, HttpPeers, NotSentError } from '@airlock/service/outbound';
import { RecordingServer, signWebhook } from '@airlock/service/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import * as nest from '@nestjs/common';
import { z } from 'zod';
import { readCode, runCode } from '../testing/page-code.fixture.js';
import { useTestApi } from '../testing/use-test-api.fixture.js';

const [payments = '', webhooks = '', ...others] = readCode('outside-services.md');
const modules = { '@airlock/service/outbound': { HttpPeers }, '@nestjs/common': nest, 'node:crypto': crypto };
interface Payments {
  charge: (orderId: string, cents: number) => Promise<string>;
}
const { PaymentsClient } = runCode(payments, modules) as { PaymentsClient: nest.Type<Payments> };
const { CustomerWebhooks } = runCode(webhooks, modules) as {
  CustomerWebhooks: nest.Type<{ deliver: (delivery: object) => Promise<boolean> }>;
};

@nest.Controller('charges')
class Charges {
  constructor(@nest.Inject(PaymentsClient) private readonly client: Payments) {}

  @nest.Get()
  @Operation({ summary: 'Charge', response: { status: 200, schema: z.object({}) }, access: 'public' })
  charge() {
    return this.client.charge('order-1', 5);
  }
}

@nest.Module({ controllers: [Charges], providers: [PaymentsClient, CustomerWebhooks] })
class OutsideModule {}

const withAddress = (paymentsUrl: string) => (config: Config) => ({ ...config, payments: { paymentsUrl } }) as Config;

describe('docs/outside-services.md', () => {
  const api = useTestApi({ imports: [{ module: OutsideModule }], configure: withAddress('fake:') });

  it('has two blocks', () => expect([webhooks === '', others]).toEqual([false, []]));

  it('uses the fake, and keeps what it got', async () => {
    const client = api.app.nest.get(PaymentsClient);
    expect(await client.charge('order-1', 5)).toBe('fake_5');
    await expect(client.charge('order-2', 200_000)).rejects.toThrow('payments: responded with 402');
    expect(api.kept).toMatchObject([
      { kind: 'http', peer: 'payments', method: 'POST', body: '{"cents":5}' },
      { kind: 'http', peer: 'payments', method: 'POST', body: '{"cents":200000}' },
    ]);
    const metrics = await api.app.metrics.registry.metrics();
    expect(metrics).toContain('outbound_duration_seconds_count{peer="payments",method="POST",outcome="2xx"} 1');
  });

  it('delivers a signed webhook', async () => {
    const server = await RecordingServer.start();
    server.statuses = [200];
    const key = Buffer.alloc(32, 'k');
    try {
      const delivery = { address: `${server.url}/hook?a=1`, key, id: 'msg_1', event: { name: 'Kettle' } };
      expect(await api.app.nest.get(CustomerWebhooks).deliver(delivery)).toBe(true);
      const [{ url = '', body = '', headers = undefined } = {}] = server.seen;
      const timestamp = String(headers?.['webhook-timestamp']);
      const signed = signWebhook({ key: `whsec_${key.toString('base64')}`, body, id: 'msg_1', timestamp });
      expect(url).toBe('/hook?a=1');
      expect(headers).toMatchObject(signed);
    } finally {
      await server.stop();
    }
  });

  it('refuses a peer whose variable is not set', () => {
    const open = (): HttpPeer => api.app.nest.get(HttpPeers).to({ name: 'shop', address: () => undefined });
    expect(open).toThrow('shop: its address is not set');
  });

  it('keeps a webhook to a host outside', async () => {
    const delivery = { address: 'https://customer.example/', key: Buffer.alloc(32), id: 'msg_1', event: {} };
    await expect(api.app.nest.get(CustomerWebhooks).deliver(delivery)).rejects.toThrow(NotSentError);
    expect(api.kept).toMatchObject([{ peer: 'webhooks', url: 'https://customer.example/' }]);
  });
});

describe('a call of a request', () => {
  let server: RecordingServer;
  let url: string;
  const api = useTestApi({
    imports: [{ module: OutsideModule }],
    configure: async (config) => {
      server = await RecordingServer.start();
      const slow = {
        ...config,
        httpClient: { timeoutMs: 60_000, maxRetries: 0 },
        http: { ...config.http, requestTimeoutMs: 2_000 },
      };
      return withAddress(server.url)(slow);
    },
  });
  beforeAll(async () => {
    await api.app.nest.listen({ host: '127.0.0.1', port: 0 });
    url = `${await api.app.nest.getUrl()}/api/v1/charges`;
  });
  beforeEach(() => server.reset());
  afterAll(() => server.stop());
  const until = async (isTrue: () => boolean) => {
    while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 5));
  };

  it('ends when the client leaves', async () => {
    const client = new AbortController();
    const asked = fetch(url, { signal: client.signal }).catch(() => undefined);
    await until(() => server.seen.length === 1);
    client.abort();
    await asked;
    await until(() => server.abandoned === 1);
  });

  it('ends when the request has reached its time limit', async () => {
    expect((await fetch(url)).status).toBe(503);
    await until(() => server.abandoned === 1);
    expect(server.seen).toHaveLength(1);
  });
});
