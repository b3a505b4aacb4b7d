import { readFileSync } from 'node:fs';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { migrate, seed } from '@airlock/database/internal';
import { runBackfill } from '@airlock/database/operations';
import {
  type Backfill,
  defineBackfill,
  defineMigration,
  type Migration,
  TEST_SEED_SIZE,
} from '@airlock/database/model';
import { useScratchCluster } from '@airlock/database/fixtures';
import { describeFinding, lintMigrations } from '@airlock/database-dev/migration-checks';
import { model } from '../model.js';

const GUIDE = new URL('../../../../docs/migrations.md', import.meta.url);
const cluster = useScratchCluster();

/** The TypeScript of the section, in its order. */
function runBlocks(): { migrations: Migration[]; backfills: Backfill[] } {
  const [, section = ''] = /\n## Backfills\n([^]*?)\n## /.exec(readFileSync(GUIDE, 'utf8')) ?? [];
  const blocks = [...section.matchAll(/```ts\n([^]*?)```/g)].map(([, block = '']) => block);
  const [migrations, backfills]: [Migration[], Backfill[]] = [[], []];
  const define = {
    defineMigration: (one: Parameters<typeof defineMigration>[0]) => migrations.push(defineMigration(one)),
    defineBackfill: (one: Parameters<typeof defineBackfill>[0]) => backfills.push(defineBackfill(one)),
  };
  const source = blocks.join('\n').replaceAll('export const', 'const');
  // The text is our own guide.
  runInNewContext(source, define);
  return { migrations: [...model.migrations, ...migrations], backfills };
}

describe('the guide', () => {
  it('shows a column that is added, filled and required, in a database whose users read and write', async () => {
    const guide = runBlocks();
    const [backfill] = guide.backfills;
    const { config, superuser } = await cluster.create('staging');
    await migrate({ config, migrations: model.migrations });
    await seed({ config, seeds: model.seeds, size: TEST_SEED_SIZE });
    await migrate({ config, ...guide, to: String(backfill?.follows) });
    await expect(migrate({ config, ...guide })).rejects.toThrow(
      'needs the backfill fill-nickname, which is not started',
    );
    await runBackfill({ config, ...guide, name: String(backfill?.name) });
    const { head } = await migrate({ config, ...guide });
    expect(head).toBe(guide.migrations.at(-1)?.name);
    const { rows } = await superuser.query(
      'SELECT bool_and(nickname = lower(name)) AS filled, count(*)::int FROM public.entities',
    );
    expect(rows).toEqual([{ filled: true, count: TEST_SEED_SIZE }]);
  });

  it('passes the linter', async () => {
    const { findings } = await lintMigrations({ ...model, ...runBlocks(), isAll: true });
    // Of the column that the guide adds to no entity.
    expect(findings.filter(({ rule }) => rule !== 'unclassified-column').map(describeFinding)).toEqual([]);
  });
});
