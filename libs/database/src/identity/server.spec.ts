import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Config, DatabaseAddress } from '@airlock/config';
import { skipUnless } from '@airlock/config/testing';
import { connectClient } from '../connect/client.js';
import { createSessionConfig } from '../connect/client-options.js';
import { createDataSource } from '../connect/data-source.js';
import { openDataSource } from '../connect/database.module.js';
import { type Cluster, startScratchCluster } from '@airlock/embedded-postgres';
import { migrate } from '../migrate/migrate.js';
import { createScratchConfig } from '../migrate/scratch-config.fixture.js';
import { createAddresses, runAs } from '../provision/provision.fixture.js';
import { provision, type ProvisionOptions } from '../provision/provision.js';
import { oldPostgres, pgbouncer, withOldPostgres, withPgBouncer } from './server.fixture.js';
import { sampleModel } from '../sample/sample-model.js';

const describeWithOldPostgres = skipUnless(oldPostgres !== undefined, describe, 'no package postgresql older than 18');
const describeWithPgBouncer = skipUnless(pgbouncer !== undefined, describe, 'no package pgbouncer');

describeWithOldPostgres('an older PostgreSQL', () => {
  it('is refused with the same message by every command and by a service', async () => {
    await withOldPostgres(async (superuser) => {
      const options = createAddresses({ superuser } as Cluster, 'old_test', 'testing');
      const onServer = { ...options, app: { ...superuser, user: 'postgres' }, migration: superuser };
      const config = createConfig(onServer);
      const attempts = [
        provision(options),
        connectClient(superuser, { config: createSessionConfig('testing'), purpose: 'spec' }),
        migrate({ config, ...sampleModel }),
        openDataSource(createDataSource(config, { entities: [] }), config),
      ];
      for (const { status, ...outcome } of await Promise.allSettled(attempts)) {
        expect([status, outcome]).toEqual([
          'rejected',
          {
            reason: expect.objectContaining({
              exitCode: 78,
              message: expect.stringMatching(
                /^database: 127\.0\.0\.1:\d+ runs PostgreSQL 1\d\.\S+.*; expected 18 or later\n {2}upgrade the server/,
              ),
            }),
          },
        ]);
      }
    });
  }, 60_000);
});

describeWithPgBouncer('PgBouncer', () => {
  let cluster: Cluster;
  let options: ProvisionOptions;

  beforeAll(async () => {
    cluster = await startScratchCluster();
    options = createAddresses(cluster, 'pooled_test', 'testing');
    await provision(options);
    const { app } = options;
    // Ways in which an operator may try to restore what the pooler drops.
    await runAs(cluster.superuser, (admin) => admin.query(`ALTER ROLE ${app.user} SET statement_timeout = '10s'`));
  }, 60_000);
  afterAll(() => cluster.stop());
  const createOptions = () => ({ address: options.app, password: options.app.password.reveal() });

  const IGNORING = `ignore_startup_parameters = extra_float_digits, options, replication, statement_timeout, lock_timeout, idle_in_transaction_session_timeout`;

  it.each([
    [
      'session',
      'as it is installed',
      [],
      /is a connection pooler \(unsupported startup parameter.*\); expected PostgreSQL itself/,
    ],
    ['transaction', 'as it is installed', [], /is a connection pooler \(unsupported startup parameter/],
    ['session', 'configured to ignore unknown parameters', [IGNORING], /is a connection pooler \(it drops the limits/],
    [
      'transaction',
      'configured to ignore unknown parameters',
      [IGNORING],
      /is a connection pooler \(it drops the limits/,
    ],
  ] as const)('is refused in %s mode, %s', async (mode, _, settings, said) => {
    const attempts = await withPgBouncer({ ...createOptions(), mode, settings }, async (pooled) => {
      const config = createConfig({ app: pooled, migration: pooled });
      return Promise.allSettled([
        connectClient(pooled, { config: createSessionConfig('testing'), purpose: 'spec' }),
        migrate({ config, ...sampleModel }),
        openDataSource(createDataSource(config, { entities: [] }), config),
      ]);
    });
    const refused = {
      status: 'rejected',
      reason: expect.objectContaining({ name: 'ServerError', exitCode: 78, message: expect.stringMatching(said) }),
    };
    expect(attempts).toEqual([refused, refused, refused]);
  });

  it('is refused where it sets the limits on each connection that it opens', async () => {
    const limits = `SET statement_timeout = '60s'; SET lock_timeout = '10s'; SET idle_in_transaction_session_timeout = '60s'`;
    await expect(
      withPgBouncer({ ...createOptions(), mode: 'session', settings: [IGNORING], connectQuery: limits }, (pooled) =>
        connectClient(pooled, { config: createSessionConfig('testing'), purpose: 'spec' }),
      ),
    ).rejects.toThrow('it drops the limits');
  });
});

function createConfig({ app, migration }: Pick<Config['database'], 'app'> & { migration: DatabaseAddress }): Config {
  const config = createScratchConfig(app.port, 'any_test', 'testing');
  return { ...config, database: { ...config.database, app, migration } };
}
