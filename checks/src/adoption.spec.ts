import { readFileSync } from 'node:fs';
import { type Cluster, startScratchCluster } from '@airlock/embedded-postgres';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { createSessionConfig, withClient } from '@airlock/database/internal';
import { loadBlocks } from './document-blocks.js';
import { WorkspaceCopy } from './workspace-copy.fixture.js';

jest.setTimeout(600_000);

const BOOKSHOP = new URL('../../libs/database/src/adopt/bookshop.fixture.sql', import.meta.url);
const DATABASE = 'bookshop_development';
const [look = '', write = '', apply = '', protect = '', ...rest] = loadBlocks('docs/adoption.md').map(
  ({ text }) => text,
);
/** The first spec that a team would write. */
const SPEC = `
import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { withClient } from '@airlock/database/operations';
import { withTestDatabase } from '@airlock/database-dev/testing';

it('shows a customer their own orders alone, and the countries', () =>
  withTestDatabase(async (database) => {
    const admin = await database.admin();
    await admin.query(\`INSERT INTO public.countries VALUES ('DE', 'Germany', 19);
      INSERT INTO public.customers (id, email, given_name, family_name) VALUES (1, 'a@b', 'A', 'B'), (2, 'c@d', 'C', 'D');
      INSERT INTO public.page_views VALUES (1, '/', '2025-02-03', NULL), (2, '/', '2025-02-03', NULL);
      INSERT INTO public.orders (customer_id) VALUES (1), (2), (2)\`);
    const { rows: open } = await admin.query(\`SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace
      AND NOT (relrowsecurity AND relforcerowsecurity) ORDER BY relname COLLATE "C"\`);
    const listed = JSON.parse(readFileSync(new URL('records/unprotected.json', import.meta.url), 'utf8'));
    expect(open.map(({ relname }) => relname)).toEqual(listed);
    await withClient(database.config.database.app, { config: database.config, purpose: 'spec' }, async (app) => {
      const count = async (table) => (await app.query(\`SELECT count(*)::int AS n FROM \${table}\`)).rows[0].n;
      const views = async () => [await count('page_views'), await count('page_views_2025')];
      expect([await count('orders'), ...(await views())]).toEqual([0, 0, 0]);
      await app.query("SELECT set_config('app.user_id', '2', false)");
      expect([await count('orders'), await count('countries'), await count('customers')]).toEqual([2, 1, 2]);
      expect(await views()).toEqual([1, 0]);
    });
  }));
`;

/** An entity as TypeORM's documentation writes it. */
const ENTITY = `
import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

@Entity({ name: 'migrations', schema: 'public' })
export class OldMigration {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column('bigint')
  timestamp!: string;

  @Column('varchar')
  name!: string;
}
`;

describe('docs/adoption.md', () => {
  const copy = new WorkspaceCopy();
  let cluster: Cluster;
  let environment: string;

  beforeAll(async () => {
    cluster = await startScratchCluster();
    const { host, port, password } = cluster.superuser;
    const inside = (user: string, secret: string, database: string) =>
      `postgres://${user}:${secret}@${host}:${port}/${database}`;
    await query('postgres', `CREATE ROLE shop LOGIN`, `CREATE DATABASE ${DATABASE} OWNER shop`);
    await query(DATABASE, `SET ROLE shop; ${readFileSync(BOOKSHOP, 'utf8')}`);
    environment = Object.entries({
      PATH: `$PWD/node_modules/.bin:$PATH`,
      DATABASE,
      ENVIRONMENT: 'development',
      DATABASE_SERVER: 'external',
      DATABASE_URL: inside('shop', 'a-new-Passw0rd', DATABASE),
      DATABASE_MIGRATION_URL: inside('bookshop_migrator', 'a-new-Passw0rd', DATABASE),
      DATABASE_ADMIN_URL: inside('postgres', password.reveal(), 'postgres'),
    })
      .map(([name, value]) => `export ${name}="${value}"\n`)
      .join('');
  });
  afterAll(async () => {
    await cluster.stop();
    copy.remove();
  });

  const run = (commands: string) => copy.run(environment + commands);

  const query = (database: string, ...statements: string[]) =>
    withClient(
      { ...cluster.superuser, database },
      { config: createSessionConfig('development'), purpose: 'spec' },
      async (client) => {
        let rows: unknown[] = [];
        for (const sql of statements) ({ rows } = await client.query<object>(sql));
        return rows;
      },
    );

  it('leads from a foreign database to one of ours, with new migrations, tests and protected tables', async () => {
    expect(rest).toEqual([]);
    expect(await run(look)).toMatch(/airlock new protection orders --owner customer_id\n[\s\S]*Nothing was changed/);
    expect(await run(write)).toMatch(/in an empty database they made the same schema/);
    expect(await run(apply)).toMatch(/adopted in development[\s\S]*no drift/);
    const name = 'SELECT name FROM ops.migrations ORDER BY name LIMIT 1';
    expect(await query(DATABASE, name)).toEqual([{ name: expect.stringMatching(/-baseline$/) }]);
    expect(await query(DATABASE, 'SELECT count(*)::int AS rows FROM orders')).toEqual([{ rows: 40 }]);
    await run(protect);
    expect(await run('airlock db lint || true')).toMatch('orders_pkey does not contain public.orders.customer_id');
    expect(JSON.parse(copy.read('libs/model/src/records/unprotected.json'))).not.toContain('orders');
    expect(await run('airlock db migrate && airlock db drift')).toMatch('no drift');
    await expect(run('airlock db adopt --apply another_development')).rejects.toThrow('expected its full name');
    await expect(run('airlock db adopt --environment staging')).rejects.toThrow('ENVIRONMENT is development');
    await expect(run('airlock db adopt --write')).rejects.toThrow('already has a baseline');
    const changed = copy.listChanged();
    await run(`prettier --check --ignore-unknown ${changed.join(' ')}`);
    await run(`cat > libs/model/src/entities/old.entity.ts <<'END'\n${ENTITY}\nEND
      sed -i "s/^export const entities = \\[/import { OldMigration } from '.\\/old.entity.js';\\n&OldMigration, /" libs/model/src/entities/index.ts`);
    expect(await run('airlock db drift --template')).toMatch('migrations, schema.sql and entities agree');
    await run(`sed -i "s/'bigint'/'integer'/" libs/model/src/entities/old.entity.ts`);
    await expect(run('airlock db drift --template')).rejects.toThrow('TypeORM would drop "migrations"."timestamp"');
    await run(`sed -i "s/'integer'/'bigint'/" libs/model/src/entities/old.entity.ts`);
    // The addresses of the team's database are not those of its tests.
    await copy.run(
      `cat > libs/model/src/adopted.spec.ts <<'END'\n${SPEC}\nEND\n(cd libs/model; node --experimental-vm-modules --import ../../tools/typescript.mjs ../../node_modules/jest/bin/jest.js adopted)`,
    );
  });
});
