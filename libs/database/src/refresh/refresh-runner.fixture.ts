// Runs a refresh in its own process, which a test kills: it stops where the test names, and prints that it is there.
import { writeSync } from 'node:fs';
import { Secret } from '@airlock/config';
import { createSessionConfig } from '../connect/client-options.js';
import { withClient } from '../connect/client.js';
import { refresh } from './refresh.js';
import { everyType } from './every-type.fixture.js';
import { createConfig, KEY } from './refresh.fixture.js';
import type { ProvisionOptions } from '../provision/provision.js';

type Names = Record<'host' | 'password' | 'source' | 'target' | 'stopAt', string> & { port: number };
/** Of the source, where it is on another server. */
type Elsewhere = Partial<Record<'sourcePassword', string> & { sourcePort: number }>;
const { host, port, password, source, target, stopAt, sourcePort, sourcePassword } = JSON.parse(
  process.argv[2]!,
) as Names & Elsewhere;

const address = (user: string, secret: string, database: string) =>
  ({ host, port, user, password: new Secret(secret), database, sslMode: 'disable' }) as const;
const role = (name: string) => address(`${target}_${name}`, `${target}_${name}-secret`, target);
const admin = address('postgres', password, 'postgres');
const options = { admin, app: role('app'), migration: role('migrator'), environment: 'staging' } as ProvisionOptions;

await withClient(
  {
    ...admin,
    database: source,
    port: sourcePort ?? port,
    password: new Secret(sourcePassword ?? password),
  },
  { config: createSessionConfig('testing'), purpose: 'spec' },
  (client) => {
    const query = client.query.bind(client) as (...args: unknown[]) => unknown;
    // The source sees every step: its statements are the places to stop at.
    client.query = ((...args: unknown[]) => {
      const text = String((args[0] as { text?: string })?.text ?? args[0]);
      if (text.includes(stopAt)) stop();
      return query(...args);
    }) as typeof client.query;
    return refresh({ ...everyType, config: createConfig(options), source: client, key: KEY });
  },
);
writeSync(1, 'done\n');

function stop(): void {
  writeSync(1, 'stopped\n');
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}
