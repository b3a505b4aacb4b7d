import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { createDatabase, runAs, runRefresh } from '@airlock/database/fixtures';
import { findUnclassified, readTables } from '@airlock/database/internal';
import { checkTemplate } from '@airlock/database-dev/migration-checks';
import { renderInventory } from '@airlock/database/operations';
import { withTestDatabase } from '@airlock/database-dev/testing';
import { startScratchCluster } from '@airlock/embedded-postgres';
import { model } from './model.js';

describe('model', () => {
  it('is consistent in migrations, schema.sql, known-objects.json and entities', async () => {
    await expect(checkTemplate(model)).resolves.toBeUndefined();
  });

  it('has a class for every column that the migrations create, and no other', () =>
    withTestDatabase(async (database) => {
      const tables = await readTables(await database.admin());
      expect(findUnclassified({ tables, classes: await model.loadClasses() })).toEqual([]);
    }));
});

describe('docs/data-inventory.md', () => {
  it('is up to date with `airlock db inventory --write`', async () => {
    const page = readFileSync(new URL('../../../docs/data-inventory.md', import.meta.url), 'utf8');
    expect(page).toBe(renderInventory(await model.loadClasses()));
  });
});

describe('a copy of production', () => {
  it('has no token of a connected account, no attempt that could be finished, and no name of a user', async () => {
    const cluster = await startScratchCluster();
    try {
      const copied = { migrations: model.migrations, classes: await model.loadClasses() };
      const source = await createDatabase(cluster, { environment: 'production', model: copied, sql: ROWS });
      const target = await createDatabase(cluster, { environment: 'staging', model: copied });
      await runRefresh({ source, target, model: copied });
      await runAs({ ...target.admin, database: target.app.database }, async (client) => {
        const { rows } = await client.query('SELECT * FROM provider_connections');
        expect(rows).toMatchObject([{ status: 'broken', sealed_tokens: null, expires_at: null, provider: 'acme' }]);
        expect((await client.query('SELECT FROM provider_connection_attempts')).rowCount).toBe(0);
        const owners = `SELECT (c.owner_id = e.owner_id)::text AS same, e.* FROM provider_connections c, entities e`;
        const entities = (await client.query(owners)).rows as unknown[];
        expect(entities).toMatchObject([{ same: 'true', attributes: {} }]);
        expect(JSON.stringify([rows, entities])).not.toMatch(/user_1"|account_1"|sealed"|Ada/);
      });
    } finally {
      await cluster.stop();
    }
  }, 60_000);
});

const ROWS = `
  INSERT INTO provider_connections (owner_id, provider, account, status, sealed_tokens, expires_at)
    VALUES ('user_1', 'acme', 'account_1', 'active', 'sealed', now());
  INSERT INTO provider_connection_attempts (owner_id, provider, phase, sealed, expires_at)
    VALUES ('user_1', 'acme', 'finished', 'sealed', now() + interval '1 h');
  INSERT INTO entities (owner_id, name, attributes) VALUES ('user_1', 'Ada', '{"colour": "Ada"}')`;
