import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Test } from '@nestjs/testing';
import { DataSource } from 'typeorm';
import type { Config } from '@airlock/config';
import { loadConfig } from '@airlock/config/loading';
import { createClientOptions, createSessionConfig } from './client-options.js';
import { createDataSource } from './data-source.js';
import { DatabaseModule, openDataSource } from './database.module.js';
import { openRunner } from './guarded-data-source.js';
import { startScratchCluster, type Cluster } from '@airlock/embedded-postgres';
import { createAddresses } from '../provision/provision.fixture.js';
import { provision, type ProvisionOptions } from '../provision/provision.js';
import { SqlLogger } from './sql-logger.js';

let cluster: Cluster;
let options: ProvisionOptions;
let config: Config;

beforeAll(async () => {
  cluster = await startScratchCluster();
  options = createAddresses(cluster, 'connections_test', 'testing');
  await provision(options);
  const url = `postgres://${options.app.user}:${options.app.user}-secret@127.0.0.1:${cluster.port}/connections_test`;
  config = loadConfig({ env: { ENVIRONMENT: 'testing', DATABASE_URL: url }, files: false });
}, 60_000);
afterAll(() => cluster.stop());

/** Variables that a developer's shell may have exported for other work. */
const STRAY = {
  PGHOST: '192.0.2.1',
  PGPORT: '1',
  PGUSER: 'stranger',
  PGPASSWORD: 'stray',
  PGDATABASE: 'production',
  PGOPTIONS: '-c search_path=stray',
  PGAPPNAME: 'stray',
  PGSSLMODE: 'require',
  PGCONNECT_TIMEOUT: '1',
  PGREPLICATION: 'database',
  PGSSLNEGOTIATION: 'direct',
  PGCLIENT_ENCODING: 'LATIN1',
  PGCLIENTENCODING: 'LATIN1',
  PGBINARY: 'true',
  PGTZ: 'Asia/Tokyo',
  PGSERVICE: 'stray',
  PGPASSFILE: '/stray',
};

describe('createDataSource', () => {
  it('connects as the config says, whatever PG* variables are set', () => {
    const script = fileURLToPath(new URL('./stray-variables.fixture.ts', import.meta.url));
    const loader = new URL('../../../../tools/typescript.mjs', import.meta.url).href;
    const { stdout, stderr } = spawnSync(process.execPath, ['--import', loader, script, String(cluster.port)], {
      env: { PATH: '/usr/bin:/bin', ...STRAY },
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    const session = {
      database: 'connections_test',
      user: 'connections_test_app',
      port: cluster.port,
      search_path: 'public',
      timezone: 'UTC',
      encoding: 'UTF8',
      name: expect.stringMatching(/^airlock-api\/testing\/api@.+:\d+$/),
      statement_timeout: '10s',
      lock_timeout: '2s',
      idle: '30s',
    };
    expect(JSON.parse(stdout)).toEqual([session, session]);
  });

  it('gives each pooled session the timeouts of the config and closes the pool', async () => {
    const dataSource = await createDataSource(config, { entities: [] }).initialize();
    const rows = await dataSource.query<object[]>(`SELECT current_setting('statement_timeout') AS timeout`);
    expect(rows).toEqual([{ timeout: '10s' }]);
    expect(dataSource.options).toMatchObject({ installExtensions: false });
    expect(dataSource.options).not.toHaveProperty('synchronize');
    await dataSource.destroy();
  });

  it('shows its password neither in its options nor in an error', async () => {
    const wrong = { ...config, database: { ...config.database, app: { ...options.app, user: 'stranger' } } };
    const dataSource = createDataSource(wrong, { entities: [] });
    const error = await dataSource.initialize().catch((reason: unknown) => reason);
    const { inspect } = await import('node:util');
    expect(inspect([dataSource.options, error], { depth: 9, showHidden: true })).not.toContain('_app-secret');
  });
});

describe('DatabaseModule', () => {
  it('starts on the database of its environment and leaves no session behind when it closes', async () => {
    const module = await Test.createTestingModule({ imports: [DatabaseModule.forRootUnconnected(config)] }).compile();
    await openDataSource(module.get(DataSource), config);
    const runner = openRunner(module.get(DataSource));
    expect(await runner.query('SELECT environment FROM ops.environment')).toEqual([{ environment: 'testing' }]);
    await runner.release();
    await module.close();
    expect(module.get(DataSource).isInitialized).toBe(false);
  });

  it('does not start on the database of another environment', async () => {
    const foreign = { ...config, environment: 'staging' as const };
    const module = await Test.createTestingModule({ imports: [DatabaseModule.forRootUnconnected(foreign)] }).compile();
    const starting = openDataSource(module.get(DataSource), foreign);
    await expect(starting).rejects.toThrow('the database belongs to another environment');
    await module.close();
  });
});

describe('createClientOptions', () => {
  it('leaves nothing that pg would take from a variable', () => {
    const made = createClientOptions(options.app, { config: createSessionConfig('testing'), purpose: 'x'.repeat(80) });
    const { ssl, ...filled } = made;
    expect(Object.values(filled).every(Boolean)).toBe(true);
    expect(ssl).toBe(false);
    expect(made.application_name).toHaveLength(63);
  });

  it.each([
    ['require', { rejectUnauthorized: false }],
    ['verify-full', { rejectUnauthorized: true, host: '127.0.0.1', ca: 'PEM' }],
  ] as const)('translates sslmode=%s for pg', (sslMode, expected) => {
    const address = { ...options.app, sslMode };
    expect(createClientOptions(address, { config: createSessionConfig('testing', 'PEM'), purpose: 'x' }).ssl).toEqual(
      sslMode === 'require' ? { rejectUnauthorized: false } : expected,
    );
  });
});

describe('SqlLogger', () => {
  it('prints statements with literals and parameters redacted', () => {
    const print = { log: jest.fn(), warn: jest.fn() };
    const logger = new SqlLogger(true, print);
    logger.logQuery(`SELECT 'a''b', $tag$it$tag$, $1`, ['secret']);
    logger.logQueryError('secret', 'SELECT 1');
    expect([print.log.mock.calls, print.warn.mock.calls]).toEqual([
      [[`SELECT '[redacted]', '[redacted]', $1 -- 1 parameter [redacted]`]],
      [['failed: SELECT 1']],
    ]);
  });

  it.each([
    [`SELECT E'it\\'s secret', 1`, `SELECT '[redacted]', 1`],
    [`SELECT 1 AS "it's", 'secret'`, `SELECT 1 AS "it's", '[redacted]'`],
    [`SELECT 1 -- it's\n, 'secret'`, `SELECT 1 , '[redacted]'`],
    [`SELECT /* it's secret */ 'a'`, `SELECT '[redacted]'`],
    [`SELECT $$it's$$, $a$ $$secret$$ $a$`, `SELECT '[redacted]', '[redacted]'`],
  ])('finds the literals of %s', (sql, printed) => {
    const print = { log: jest.fn(), warn: jest.fn() };
    new SqlLogger(true, print).logQuery(sql);
    expect(print.log.mock.calls).toEqual([[printed]]);
  });

  it('is silent unless DB_ECHO is on', () => {
    const print = { log: jest.fn(), warn: jest.fn() };
    new SqlLogger(false, print).logQuery('SELECT 1');
    expect(print.log).not.toHaveBeenCalled();
  });
});
