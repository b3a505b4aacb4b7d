import { describe, expect, it } from '@jest/globals';
import { findUnfitColumns, listTableRules } from '@airlock/database/fixtures';
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
});
