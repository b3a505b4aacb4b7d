// Refreshes a database of staging from the newest backup, in its own process, which a test kills: it stops where the test
// names, and prints that it is there.
import { writeSync } from 'node:fs';
import { Secret } from '@airlock/config';
import { loadConfig } from '@airlock/config/loading';
import { refresh } from '@airlock/database/operations';
import { sampleModel } from '@airlock/database/sample';
import { createSessionConfig, withClient } from '@airlock/database/sessions';
import { openSourceBackups } from '@airlock/storage';
import { withRestoredSource } from './index.js';

export interface Run {
  readonly server: { readonly host: string; readonly port: number; readonly password: string };
  readonly target: string;
  readonly backups: string;
  readonly folder: string;
  readonly tools: string;
  /** A part of a statement of the copy, `the restore`, or nothing to run to the end. */
  readonly stopAt: string;
}

const { server, target, backups, folder, tools, stopAt } = JSON.parse(process.argv[2]!) as Run;

const address = (user: string, password: string, database: string) =>
  ({
    host: server.host,
    port: server.port,
    user,
    password: new Secret(password),
    database,
    sslMode: 'disable',
  }) as const;
const role = (name: string) => address(`${target}_${name}`, `${target}_${name}-secret`, target);
const base = loadConfig({
  cwd: '/nonexistent',
  env: { ENVIRONMENT: 'testing', DATABASE_URL: 'postgres://a:b@127.0.0.1:1/a_test' },
});
const admin = address('postgres', server.password, 'postgres');
const database = { ...base.database, app: role('app'), migration: role('migrator'), admin };
const config = { ...base, environment: 'staging', database } as const;

const storage = await openSourceBackups({ kind: 'folder', path: backups }, { ...config, environment: 'production' });
let readings = 0;
const get = storage.get.bind(storage);
// The dump is read for its checksum and its list, and then to be restored.
storage.get = (name) => {
  if (name.endsWith('/dump') && (readings += 1) === 3 && stopAt === 'the restore') stop();
  return get(name);
};
const { migrations } = sampleModel;
const options = { environment: 'production', storage, tools, migrations, folder, maxLagMs: 60_000 } as const;
await withRestoredSource(options, (source) =>
  withClient(source.address, { config: createSessionConfig('testing'), purpose: 'spec' }, async (client) => {
    const query = client.query.bind(client) as (...args: unknown[]) => unknown;
    client.query = ((...args: unknown[]) => {
      const text = String((args[0] as { text?: string })?.text ?? args[0]);
      if (stopAt && text.includes(stopAt)) stop();
      return query(...args);
    }) as typeof client.query;
    const classes = await sampleModel.loadClasses();
    const key = new Secret('a key of the pair of environments, for specs');
    return refresh({ config, source: client, migrations, classes, key });
  }),
);
writeSync(1, 'done\n');

function stop(): void {
  writeSync(1, 'stopped\n');
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}
