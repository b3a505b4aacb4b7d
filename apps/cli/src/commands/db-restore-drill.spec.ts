import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findClientTools } from '@airlock/backups/testing';
import { type DatabaseAddress, readProcessEnvironment } from '@airlock/config';
import { goodEnvironments, skipUnless } from '@airlock/config/testing';
import { createAddresses, runAs } from '@airlock/database/fixtures';
import { provision } from '@airlock/database/operations';
import { type Cluster, startScratchCluster } from '@airlock/embedded-postgres';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const program = fileURLToPath(new URL('../../bin/airlock.js', import.meta.url));
const tools = findClientTools();
const describeWithTools = skipUnless(tools !== undefined, describe, 'no pg_dump 18, and no image to take it from');

describeWithTools('airlock db restore-drill', () => {
  let cluster: Cluster;
  let folder: string;
  let variables: Record<string, string>;
  let sql: (text: string) => Promise<unknown[]>;

  beforeAll(async () => {
    cluster = await startScratchCluster();
    folder = mkdtempSync(join(tmpdir(), 'airlock-drill-'));
    const addresses = createAddresses(cluster, 'drill_test', 'testing');
    await provision(addresses);
    const { admin, app, migration } = addresses;
    const { database } = app;
    sql = async (text) => runAs({ ...admin, database }, async (client) => (await client.query<object>(text)).rows);
    variables = {
      DATABASE_URL: print(app),
      DATABASE_MIGRATION_URL: print(migration),
      DATABASE_ADMIN_URL: print(admin),
      BACKUP_URL: `file:${folder}/backups`,
      BACKUP_TOOLS: tools ?? '',
    };
    expect(run('migrate')).toMatchObject({ status: 0 });
    expect(run('backup')).toMatchObject({ status: 0 });
  }, 60_000);
  afterAll(async () => {
    await cluster.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const run = (...words: string[]) => {
    // pg_dump is a script.
    const env = { ...goodEnvironments.testing, ...variables, PATH: readProcessEnvironment()['PATH'] };
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, 'db', ...words], {
      ...{ cwd: folder, env, encoding: 'utf8' },
    });
    return { status, stdout, stderr };
  };

  it('reads the restored database as the application, and fails by name where it may not', async () => {
    const drill = run('restore-drill');
    expect(drill.stderr).toBe('');
    expect(drill.stdout).toContain('restored and compared, and asked as the application, in');
    const [right] = (await sql(
      `SELECT c.relname AS name, pg_get_userbyid(a.grantee) AS role FROM pg_class c, aclexplode(c.relacl) a
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.privilege_type = 'SELECT'
          AND pg_get_userbyid(a.grantee) = 'drill_test_app' ORDER BY 1 LIMIT 1`,
    )) as [{ name: string }];
    await sql(`REVOKE SELECT ON public.${right.name} FROM drill_test_app`);
    expect(run('backup')).toMatchObject({ status: 0 });
    const failed = run('restore-drill', '--json');
    expect(JSON.parse(failed.stdout)).toEqual({ problem: 'cannot-serve' });
    expect(failed.stderr).toContain(`a user reads public.${right.name}: failed (42501)`);
    expect(failed.status).toBe(1);
    expect(await sql('SELECT FROM ops.restorable_backups')).toHaveLength(1);
  }, 60_000);
});

describe('airlock db migrate --rehearse', () => {
  it('is refused in an environment that takes no copies', () => {
    const at = (user: string) => `postgres://${user}:p@127.0.0.1:5433/airlock_test`;
    const addresses = { DATABASE_MIGRATION_URL: at('airlock_migrator'), DATABASE_ADMIN_URL: at('postgres') };
    const { status, stderr } = spawnSync(process.execPath, [program, 'db', 'migrate', '--rehearse'], {
      ...{ env: { ...goodEnvironments.testing, ...addresses }, encoding: 'utf8' },
    });
    expect({ status, stderr }).toEqual({
      status: 3,
      stderr: expect.stringContaining('ENVIRONMENT: is testing; expected staging') as unknown,
    });
  });
});

function print({ host, port, user, password, database }: DatabaseAddress): string {
  return `postgres://${user}:${password.reveal()}@${host}:${port}/${database}`;
}
