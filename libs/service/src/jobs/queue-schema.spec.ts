import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { readCatalogue } from '@airlock/database/internal';
import { useTestDatabase } from '@airlock/database-dev/testing';
import { describe, expect, it } from '@jest/globals';
import { getConstructionPlans } from 'pg-boss';

/** Bodies of functions keep the indentation of the source. */
const flatten = (line: string) => line.replaceAll(/\s+/g, ' ');
/** pg-boss adds one for each day, and only if it stores statistics. */
const isDaily = (line: string) => /\bqueue_stats_\d{8}/.test(line);

describe('the schema of the queues', () => {
  const test = useTestDatabase({ isolation: 'clone' });

  it('is the one that this version of pg-boss would create', async () => {
    const admin = await test.admin();
    const [{ owner }] = (await test.query<{ owner: string }>(
      `SELECT nspowner::regrole::text AS owner FROM pg_namespace WHERE nspname = 'public'`,
    )) as [{ owner: string }];
    const { app, migration } = test.config.database;
    const roles = { app: app.user, migrator: migration?.user ?? '' };
    const read = async () =>
      (await readCatalogue(admin, roles))
        .filter(
          (line) =>
            line.includes('jobs.') &&
            !line.includes('jobs_of_migration') &&
            !isDaily(line) &&
            !/^GRANT|DEFAULT PRIVILEGES/.test(line),
        )
        .map(flatten)
        .sort();
    const created = await read();
    const version = await test.query('SELECT version FROM jobs.version');
    await test.query('ALTER SCHEMA jobs RENAME TO jobs_of_migration');
    await test.query(`SET ROLE ${owner}`);
    await admin.query(getConstructionPlans('jobs'));
    await test.query('RESET ROLE');
    expect(await read()).toEqual(created);
    expect(created.length).toBeGreaterThan(200);
    expect(await test.query('SELECT version FROM jobs.version')).toEqual(version);
  });

  it('changes with no other version of pg-boss unnoticed', () => {
    const path = createRequire(import.meta.url).resolve('pg-boss/package.json');
    expect((JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version).toMatch(/^12\.38\./);
  });

  it('gives the application rows and functions, and no right to change it', async () => {
    const role = test.config.database.app.user;
    const [rights] = await test.query(
      `SELECT has_schema_privilege($1, 'jobs', 'USAGE') AS usage, has_schema_privilege($1, 'jobs', 'CREATE') AS "create",
              has_table_privilege($1, 'jobs.job', 'INSERT, UPDATE, DELETE') AS rows,
              has_table_privilege($1, 'jobs.job', 'TRUNCATE') AS "truncate",
              has_function_privilege($1, 'jobs.create_queue(text, jsonb)', 'EXECUTE') AS functions,
              has_schema_privilege('public', 'jobs', 'USAGE') AS anyone`,
      [role],
    );
    expect(rights).toEqual({ usage: true, create: false, rows: true, truncate: false, functions: true, anyone: false });
  });
});
