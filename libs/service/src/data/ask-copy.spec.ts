import { describeProduct } from '../app/describe-product.js';
import { useScratchCluster } from '@airlock/database/fixtures';
import { migrate } from '@airlock/database/operations';
import { sampleModel } from '@airlock/database/sample';
import { describe, expect, it, jest } from '@jest/globals';
import { askCopy } from './ask-copy.js';

const cluster = useScratchCluster();
const product = describeProduct(sampleModel, []);

/** A migrated database whose stamp is that of another one, as after a restore. */
async function createCopy(stamp = `database_name = 'the_original'`) {
  const { config, superuser } = await cluster.create();
  await migrate({ config, ...sampleModel });
  await superuser.query(`INSERT INTO public.parcels (owner_id, name) VALUES ('user_ada', 'a secret name')`);
  if (stamp) await superuser.query(`UPDATE ops.environment SET ${stamp}`);
  return { config, sql: (text: string) => superuser.query(text), app: config.database.app.user };
}

describe('askCopy', () => {
  it('finds no problem in a copy that is whole, and journals its use of the system there', async () => {
    const { config, sql } = await createCopy();
    expect(await askCopy(config, product)).toEqual([]);
    expect((await sql('SELECT service, reason FROM ops.system_uses')).rows).toEqual([
      { service: 'restore-drill', reason: 'restore-drill' },
    ]);
  });

  it('leaves the standard output to the report, also if statements are printed', async () => {
    const { config } = await createCopy();
    const [report, errors] = [jest.spyOn(process.stdout, 'write'), jest.spyOn(console, 'error').mockReturnValue()];
    try {
      await askCopy({ ...config, database: { ...config.database, echo: true } }, product);
      expect(report).not.toHaveBeenCalled();
      expect(errors).toHaveBeenCalledWith(expect.stringContaining('SELECT'));
    } finally {
      report.mockRestore();
      errors.mockRestore();
    }
  });

  it.each<[string, (app: string) => string, string[]]>([
    [
      'a right of the application that was revoked',
      (app) => `REVOKE SELECT ON public.parcels FROM ${app}`,
      ['a user reads public.parcels: failed (42501)'],
    ],
    [
      'a right of the system that was revoked',
      () => 'REVOKE SELECT ON public.parcels FROM airlock_system',
      ['the system reads public.parcels: failed (42501)'],
    ],
    [
      'a right of one column',
      (app) =>
        `REVOKE SELECT ON public.parcels FROM ${app}; GRANT SELECT (id, owner_id, attributes, version, created_at, updated_at) ON public.parcels TO ${app}`,
      ['a user reads public.parcels: failed (42501)'],
    ],
    [
      'the journal of the system',
      (app) => `REVOKE ALL ON ops.system_uses FROM ${app}`,
      ['the system reads public.parcels: failed (42501)'],
    ],
    [
      'a policy that fails',
      () =>
        `CREATE FUNCTION public.fails() RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RAISE ''a secret name''; END';
         CREATE POLICY broken ON public.parcels AS RESTRICTIVE USING (public.fails())`,
      ['the system reads public.parcels: failed (P0001)'],
    ],
    [
      'a schema of another release',
      () => `UPDATE ops.migrations SET sha256 = repeat('f', 64)`,
      ['the schema fits this release: failed (20261121030000-create-parcels differs from this code)'],
    ],
    [
      'a login that the application does not have',
      (app) => `ALTER ROLE ${app} NOLOGIN`,
      ['the application connects: failed (28000)'],
    ],
  ])('finds %s', async (_what, damage, problems) => {
    const { config, sql, app } = await createCopy();
    await sql(damage(app));
    expect(await askCopy(config, product)).toEqual(problems);
  });

  it.each([
    ['an original', '', /is the original of testing; expected a copy of testing/],
    [
      'a copy of another environment',
      `environment = 'staging', database_name = 'x'`,
      /is a copy of staging; expected a copy of testing/,
    ],
  ])('refuses %s, before it asks', async (_what, stamp, message) => {
    const { config, sql } = await createCopy(stamp);
    await expect(askCopy(config, product)).rejects.toThrow(message);
    expect((await sql('SELECT FROM ops.system_uses')).rowCount).toBe(0);
  });
});
