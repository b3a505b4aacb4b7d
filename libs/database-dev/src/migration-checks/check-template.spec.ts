import { describe, expect, it } from '@jest/globals';
import { migrate } from '@airlock/database/internal';
import { useScratchCluster } from '@airlock/database/fixtures';
import { sampleModel } from '@airlock/database/sample';
import { checkTemplate, describeChanges, findEntityChanges, findLostColumns } from './check-template.js';

const cluster = useScratchCluster();

describe('checkTemplate', () => {
  it('finds no difference between migrations, schema.sql and entities', async () => {
    await expect(checkTemplate(sampleModel)).resolves.toBeUndefined();
  });
});

describe('findEntityChanges', () => {
  it('finds a column that no entity maps', async () => {
    const { config, superuser } = await cluster.create();
    await migrate({ config, ...sampleModel });
    expect(await findEntityChanges({ config }, sampleModel)).toEqual([]);
    await superuser.query('ALTER TABLE public.parcels ADD COLUMN note text');
    expect(await findEntityChanges({ config }, sampleModel)).toEqual(['ALTER TABLE "parcels" DROP COLUMN "note"']);
  });
});

describe('describeChanges', () => {
  const changes = ['ALTER TABLE "parcels" DROP COLUMN "name"', 'ALTER TABLE "parcels" ADD "name" integer NOT NULL'];

  it('warns of a column that would be dropped and added empty', () => {
    expect(findLostColumns(changes)).toEqual(['"parcels"."name"']);
    expect(describeChanges(changes)).toContain('TypeORM would drop "parcels"."name" and add it empty');
  });

  it('does not warn of one that is only added', () => {
    expect(findLostColumns(changes.slice(1))).toEqual([]);
  });
});
