import type { AppliedMigration } from '../runner/ledger.js';
import type { Backfill } from '../model/backfill.js';
import type { Migration } from '../model/migration.js';
import type { BackfillRecord } from './backfill-progress.js';
import { MigrationRefusal } from '../model/migration-error.js';

export type BackfillState =
  /** It has filled every row, or a migration that needs it is applied. */
  | 'complete'
  | 'running'
  /** It has never run. */
  | 'pending'
  /** Its definition changed after it had begun. */
  | 'changed'
  /** The expand that it follows is not applied. */
  | 'waiting';

export interface BackfillFacts {
  readonly migrations: readonly Pick<Migration, 'name' | 'backfills'>[];
  readonly applied: readonly Pick<AppliedMigration, 'name'>[];
  readonly records: readonly BackfillRecord[];
}

export function judgeBackfill({ name, sha256, follows }: Backfill, facts: BackfillFacts): BackfillState {
  const applied = new Set(facts.applied.map((row) => row.name));
  const isUsed = facts.migrations.some((one) => applied.has(one.name) && one.backfills.includes(name));
  if (isUsed) return 'complete';
  const record = facts.records.find((row) => row.name === name);
  if (record && record.sha256 !== sha256) return 'changed';
  if (record) return record.completedAt ? 'complete' : 'running';
  return applied.has(follows) ? 'pending' : 'waiting';
}

/** Checks the code alone. @throws MigrationRefusal naming every problem */
export function assertBackfillCatalogue(migrations: readonly Migration[], backfills: readonly Backfill[]): void {
  const places = new Map(migrations.map(({ name }, index) => [name, index]));
  const known = new Map(backfills.map((backfill) => [backfill.name, backfill]));
  const problems = [
    ...backfills.flatMap((backfill, index) => {
      const { name, follows } = backfill;
      if (backfills.findIndex((other) => other.name === name) < index) return [`${name}: two backfills have this name`];
      return migrations[places.get(follows) ?? -1]?.phase === 'expand'
        ? []
        : [`${name}: follows ${follows}; expected the name of an expand`];
    }),
    ...migrations.flatMap((migration, index) =>
      migration.backfills.flatMap((name) => {
        const place = places.get(known.get(name)?.follows ?? '');
        if (!known.has(name))
          return [
            `${migration.name}: needs the backfill ${name}, which does not exist; expected one of src/backfills/`,
          ];
        return place !== undefined && place >= index
          ? [`${migration.name}: needs the backfill ${name}, which follows a later migration; expected an earlier one`]
          : [];
      }),
    ),
  ];
  if (problems.length > 0) throw new MigrationRefusal(problems.join('\n'));
}

/** @throws MigrationRefusal naming each pending migration whose backfills are not complete in this database */
export function assertBackfilled(
  pending: readonly Migration[],
  { backfills, ...facts }: BackfillFacts & { readonly backfills: readonly Backfill[] },
): void {
  const problems = pending.flatMap((migration, index) =>
    backfills
      .filter(({ name }) => migration.backfills.includes(name))
      .map((backfill) => ({ ...backfill, state: judgeBackfill(backfill, facts) }))
      .filter(({ state }) => state !== 'complete')
      .map(({ name, state }) => {
        const before = pending[index - 1]?.name;
        const first = before === undefined ? '' : `  airlock db migrate --to ${before}\n`;
        return (
          `${migration.name}: needs the backfill ${name}, which is ${describeState(state)}; expected it to be complete\n` +
          `${first}  airlock db backfill ${name}   # then migrate again`
        );
      }),
  );
  if (problems.length > 0) throw new MigrationRefusal(problems.join('\n'));
}

export function describeState(state: BackfillState): string {
  return {
    complete: 'complete',
    running: 'not finished',
    pending: 'not started',
    changed: 'another one now than when it began',
    waiting: 'not started',
  }[state];
}
