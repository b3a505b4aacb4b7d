import { type Cluster, startScratchCluster } from '@airlock/embedded-postgres';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { migrate } from '../migrate/migrate.js';
import { ask, createAddresses, runAs } from '../provision/provision.fixture.js';
import { provision, type ProvisionOptions } from '../provision/provision.js';
import { model } from '../sample/with-jobs.js';
import { createConfig, createCopy, inside, nextName } from './refresh.fixture.js';
import { refresh } from './refresh.js';

const SEND = `
  SELECT jobs.create_queue('dead-letters', '{"policy": "standard"}'),
         jobs.create_queue('mail.send', '{"policy": "standard", "deadLetter": "dead-letters"}');
  INSERT INTO jobs.job (name, data, state, singleton_key, output)
  SELECT CASE n % 2 WHEN 0 THEN 'mail.send' ELSE 'dead-letters' END, '{"to": "cAnArY"}',
         (ARRAY['created', 'active', 'completed', 'failed'])[1 + n % 4]::jobs.job_state, 'cAnArY ' || n, '{"to": "cAnArY"}'
    FROM generate_series(1, 40) n;
  INSERT INTO jobs.schedule (name, cron, data) VALUES ('mail.send', '0 3 * * *', '{"to": "cAnArY"}');
  INSERT INTO jobs.warning (type, message) VALUES ('slow', 'cAnArY')`;

describe('a refresh of a database with jobs', () => {
  let cluster: Cluster;
  let original: ProvisionOptions;
  beforeAll(async () => {
    cluster = await startScratchCluster();
    original = createAddresses(cluster, nextName(), 'production');
    await provision(original);
    await migrate({ config: createConfig(original), ...model });
    await runAs(original.app, (client) => client.query(SEND));
    await runAs(inside(original), (client) => client.query('ANALYZE'));
  }, 60_000);
  afterAll(() => cluster.stop());

  it('carries no job, queue or schedule, and gives the queues to the roles of the copy', async () => {
    const { target, copy } = await createCopy(cluster, { environment: 'staging', of: original });
    await refresh({ ...model, ...target, copy });
    await runAs(inside(target), async (client) => {
      for (const table of ['job', 'queue', 'schedule', 'warning', 'instance', 'queue_stats'])
        expect([table, await ask(client, `SELECT count(*)::int FROM jobs.${table}`)]).toEqual([table, 0]);
      expect(await ask(client, 'SELECT version FROM jobs.version')).toBe(46);
      const inStatistics = `SELECT count(*)::int FROM pg_stats WHERE most_common_vals::text ILIKE '%canary%'`;
      expect(await ask(client, inStatistics)).toBe(0);
    });
    await runAs(target.app, (client) => client.query(SEND));
    expect((await migrate({ config: createConfig(target), ...model, expected: 'staging' })).applied).toEqual([]);
    await runAs(target.migration, async (client) => {
      await client.query(`SET ROLE ${copy}_owner`);
      await client.query('ALTER TABLE jobs.warning ADD COLUMN later text');
    });
    expect(await runAs(inside(original), (client) => ask(client, 'SELECT count(*)::int FROM jobs.job'))).toBe(40);
  });

  it.each([
    ['a view', 'CREATE VIEW jobs.all_jobs AS SELECT * FROM jobs.job', 'view jobs.all_jobs'],
    [
      'a partition elsewhere',
      `CREATE TABLE public.hidden PARTITION OF jobs.job FOR VALUES IN ('x')`,
      'inherits from another table',
    ],
    [
      'a trigger',
      `CREATE FUNCTION jobs.keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END';
       CREATE TRIGGER keep BEFORE DELETE ON jobs.warning FOR EACH ROW EXECUTE FUNCTION jobs.keep()`,
      'trigger keep on table jobs.warning',
    ],
  ])('refuses %s in the schema of the queues, which could keep rows', async (_, sql, problem) => {
    const { target, copy } = await createCopy(cluster, { environment: 'staging', of: original });
    await runAs(inside(target), (client) => client.query(`ALTER EVENT TRIGGER airlock_refuse_drop DISABLE; ${sql}`));
    await expect(refresh({ ...model, ...target, copy })).rejects.toThrow(problem);
  });

  it('gives a second role of the application the rights of the first', async () => {
    const second = { ...original, app: { ...original.app, user: 'second_app' } };
    await provision(second);
    await runAs(second.app, async (client) => {
      expect(await ask(client, 'SELECT count(*)::int FROM jobs.job')).toBe(40);
      await client.query(`SELECT jobs.create_queue('later', '{"policy": "standard"}')`);
    });
  });
});
