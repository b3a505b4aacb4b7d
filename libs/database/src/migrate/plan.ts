import { type Environment, traitsOf } from '@airlock/config';
import type { AppliedMigration } from '../runner/ledger.js';
import { assertBackfillCatalogue, assertBackfilled } from '../backfill/requirements.js';
import type { BackfillRecord } from '../backfill/backfill-progress.js';
import type { Backfill } from '../model/backfill.js';
import type { Migration } from '../model/migration.js';
import { MigrationRefusal } from '../model/migration-error.js';

export interface MigrationPlanOptions {
  readonly migrations: readonly Migration[];
  readonly backfills?: readonly Backfill[] | undefined;
  readonly applied: readonly AppliedMigration[];
  readonly records?: readonly BackfillRecord[] | undefined;
  readonly environment: Environment;
  /** Stop after this migration. */
  readonly to?: string | undefined;
}

/** The migrations to apply, in order. @throws MigrationRefusal naming every contradiction between code and database */
export function planMigrations(options: MigrationPlanOptions): readonly Migration[] {
  const { migrations, backfills = [], applied, records = [], to } = options;
  assertCatalogue(migrations);
  assertBackfillCatalogue(migrations, backfills);
  const problems = findContradictions(migrations, applied);
  if (problems.length > 0) throw new MigrationRefusal(problems.join('\n'));
  const done = new Set(applied.map(({ name }) => name));
  const pending = takeUntil(
    migrations.filter(({ name }) => !done.has(name)),
    to,
  );
  if (!isUnshared(options)) {
    assertPhases(pending);
    assertBackfilled(pending, { migrations, backfills, applied, records });
  }
  return pending;
}

/**
 * No code of an earlier release serves from the database: it runs locally, or is still empty. There, every migration may
 * run at once, and the runner runs the backfills itself.
 */
export function isUnshared({ environment, applied }: Pick<MigrationPlanOptions, 'environment' | 'applied'>): boolean {
  return traitsOf(environment).runsLocally || applied.length === 0;
}

/** Checks the code alone: names ascend, and each contract completes an earlier expand. */
export function assertCatalogue(migrations: readonly Migration[]): void {
  const known = new Map<string, Migration>();
  let previous = '';
  for (const { name, completes } of migrations) {
    if (timestampOf(name) <= timestampOf(previous))
      throw new MigrationRefusal(`${name}: not later than ${previous}; expected strictly ascending timestamps`);
    if (completes !== undefined && known.get(completes)?.phase !== 'expand')
      throw new MigrationRefusal(`${name}: completes ${completes}; expected the name of an earlier expand`);
    known.set(name, migrations[known.size] as Migration);
    previous = name;
  }
}

function findContradictions(migrations: readonly Migration[], applied: readonly AppliedMigration[]): string[] {
  const code = new Map(migrations.map((migration) => [migration.name, migration]));
  const done = new Set(applied.map(({ name }) => name));
  const last = applied.at(-1)?.name ?? '';
  return [
    ...applied.flatMap((row) => {
      const migration = code.get(row.name);
      if (migration === undefined) return [describeUnknown(row, migrations.at(-1)?.name ?? '')];
      return migration.sha256 === row.sha256 ? [] : [describeEdited(row)];
    }),
    ...migrations.filter(({ name }) => !done.has(name) && name < last).map(({ name }) => describeLate(name, last)),
  ];
}

function describeUnknown(row: AppliedMigration, head: string): string {
  const origin = `applied ${row.appliedAt.toISOString()} by commit ${row.commit ?? 'unknown'}`;
  return row.name > head
    ? `${row.name}: in the database (${origin}) but newer than this code; expected code that contains it\n` +
        `  Run the release that added it, or a later one; migrations are never reverted.`
    : `${row.name}: in the database (${origin}) but missing in this code; expected its file\n` +
        `  Restore libs/model/src/migrations/${row.name}.ts from the history.`;
}

function describeEdited({ name, commit }: AppliedMigration): string {
  return (
    `${name}: edited after it was applied (by commit ${commit ?? 'unknown'}); expected the statements that ran\n` +
    `  Restore the file, and write the change as a new migration: airlock new migration NAME`
  );
}

function describeLate(name: string, last: string): string {
  return (
    `${name}: older than ${last}, which is already applied; expected a later timestamp\n` +
    `  Give it a new timestamp: airlock new migration NAME, move the statements, delete the old file.`
  );
}

function takeUntil(pending: readonly Migration[], to: string | undefined): readonly Migration[] {
  if (to === undefined) return pending;
  const index = pending.findIndex(({ name }) => name === to);
  if (index < 0) throw new MigrationRefusal(`--to ${to}: not a pending migration; expected one of airlock db status`);
  return pending.slice(0, index + 1);
}

function assertPhases(pending: readonly Migration[]): void {
  const names = new Set(pending.map(({ name }) => name));
  const problems = pending
    .filter(({ completes }) => completes !== undefined && names.has(completes))
    .map(
      ({ name, completes }) =>
        `${name}: completes ${String(completes)}, which would run in the same run; expected a release in between\n` +
        `  Apply the expand, roll out the code, then migrate again: airlock db migrate --to ${String(completes)}`,
    );
  if (problems.length > 0) throw new MigrationRefusal(problems.join('\n'));
}

function timestampOf(name: string): string {
  return name.slice(0, 14);
}
