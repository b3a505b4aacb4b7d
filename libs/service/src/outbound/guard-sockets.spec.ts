import { once } from 'node:events';
import { connect } from 'node:net';
import { type Config, Secret } from '@airlock/config';
import { expect, it } from '@jest/globals';
import { guardSockets } from './guard-sockets.js';

const at = (n: number) => `127.0.1.${n}`;
const database = (n: number) => ({ host: at(n) });
/** Each part of the system is at its own address. */
const config = {
  environment: 'staging',
  outbound: { hosts: [at(8)] },
  database: { app: database(1), migration: database(2), admin: undefined },
  redis: { url: new Secret(`rediss://:secret@${at(3)}:6379/0`) },
  auth: { jwksUrl: `https://${at(4)}/keys.json` },
  observability: { otlpEndpoint: `https://${at(5)}:4318`, sentryDsn: new Secret(`https://key@${at(6)}/1`) },
  storage: { kind: 'bucket', host: at(7) },
} as unknown as Config;

it('refuses every host but the parts of the system and the listed ones', async () => {
  const refused: unknown[] = [];
  const record = ({ host }: { host: string }) => void refused.push(host);
  const remove = guardSockets(config, { info: record, warn: record } as never);
  try {
    // Nothing listens at these addresses, so that no connection opens.
    for (let n = 1; n <= 10; n += 1) await once(connect(1, at(n)), 'error');
  } finally {
    remove();
  }
  expect(refused).toEqual([at(9), at(10)]);
});
