import { describe, expect, it } from '@jest/globals';
import { findUnfitColumns, listTableRules, sanitise } from '@airlock/database/fixtures';
import { checkTemplate } from '@airlock/database-dev/migration-checks';
import { withTestDatabase } from '@airlock/database-dev/testing';
import { model } from './model.js';

describe('model', () => {
  it('is consistent in migrations, schema.sql, known-objects.json and entities', async () => {
    await expect(checkTemplate(model)).resolves.toBeUndefined();
  });

  it('has a rule for every column that the migrations create, and no other', () =>
    withTestDatabase(async (database) => {
      const admin = await database.admin();
      await admin.query('BEGIN');
      expect(await findUnfitColumns(admin, listTableRules(model.columns))).toEqual([]);
    }));

  it('leaves no token of a connected account in a copy, and no attempt that could be finished', () =>
    withTestDatabase(async (database) => {
      const admin = await database.admin();
      await admin.query('BEGIN');
      await admin.query(`INSERT INTO provider_connections (owner_id, provider, account, status, sealed_tokens, expires_at)
        VALUES ('user_1', 'acme', 'account_1', 'active', 'sealed', now())`);
      await admin.query(`INSERT INTO provider_connection_attempts (owner_id, provider, phase, sealed, expires_at)
        VALUES ('user_1', 'acme', 'finished', 'sealed', now() + interval '1 h')`);
      await sanitise(admin, listTableRules(model.columns));
      const connections = await admin.query('SELECT * FROM provider_connections');
      expect(connections.rows).toMatchObject([{ status: 'broken', sealed_tokens: null, provider: 'acme' }]);
      const attempts = await admin.query('SELECT *, expires_at < now() AS is_over FROM provider_connection_attempts');
      expect(attempts.rows).toMatchObject([{ phase: 'returned', sealed: '', is_over: true }]);
      expect(JSON.stringify([connections.rows, attempts.rows])).not.toMatch(/user_1"|account_1"/);
    }));
});
