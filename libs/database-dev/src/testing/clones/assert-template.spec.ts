import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Client } from 'pg';
import { connectClient, createSessionConfig } from '@airlock/database/internal';
import { type Cluster, startScratchCluster } from '@airlock/embedded-postgres';
import { ask, createAddresses, runAs } from '@airlock/database/fixtures';
import { sampleModel } from '@airlock/database/sample';
import { assertTemplateContents } from './assert-template.js';
import { buildTemplate } from './template.js';

const NAME = 'airlock_test_tpl_0a1b2c3d';
let cluster: Cluster;
let admin: Client;

beforeAll(async () => {
  cluster = await startScratchCluster();
  admin = await connectClient(cluster.superuser, { config: createSessionConfig('testing'), purpose: 'spec' });
  const { app, migration } = createAddresses(cluster, NAME, 'testing');
  await buildTemplate({ ...sampleModel, name: NAME, admin: cluster.superuser, app, migration });
}, 60_000);
afterAll(async () => {
  await admin.end();
  await cluster.stop();
});

const judge = () => assertTemplateContents(admin, { ...sampleModel, name: NAME, admin: cluster.superuser });
const inTemplate = async (sql: string) => {
  await admin.query(`ALTER DATABASE ${NAME} ALLOW_CONNECTIONS true`);
  await runAs({ ...cluster.superuser, database: NAME }, (client) => client.query(sql));
  await admin.query(`ALTER DATABASE ${NAME} ALLOW_CONNECTIONS false`);
};
const FUNCTION = 'CREATE FUNCTION public.f() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$';

describe('assertTemplateContents', () => {
  it('accepts an unchanged template, and leaves nothing behind', async () => {
    await judge();
    const clones = `SELECT count(*)::int FROM pg_database WHERE datname ~ '^airlock_test_[0-9a-f]{8}$'`;
    expect(await ask(admin, clones)).toBe(0);
  });

  it.each([
    [
      'event trigger e',
      `${FUNCTION}; CREATE EVENT TRIGGER e ON sql_drop EXECUTE FUNCTION public.f()`,
      'DROP EVENT TRIGGER e; DROP FUNCTION public.f',
    ],
    [
      'an event trigger that runs when',
      `${FUNCTION}; CREATE EVENT TRIGGER e ON login EXECUTE FUNCTION public.f()`,
      'DROP EVENT TRIGGER e; DROP FUNCTION public.f',
    ],
    ['table public.customers', 'CREATE TABLE public.customers ()', 'DROP TABLE public.customers'],
    [
      'default value for ops.environment.created_at',
      'ALTER TABLE ops.environment ALTER created_at SET DEFAULT clock_timestamp()',
      'ALTER TABLE ops.environment ALTER created_at SET DEFAULT now()',
    ],
  ])('refuses a template with %s', async (name, plant, remove) => {
    await inTemplate(plant);
    try {
      await expect(judge()).rejects.toThrow(`holds ${name}`);
    } finally {
      await inTemplate(remove);
      // The server clears the flag of a login trigger when a session opens and no such trigger exists.
      await inTemplate('SELECT 1');
    }
  });
});
