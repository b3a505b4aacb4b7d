import type { DatabaseStatus } from '@airlock/database/operations';
import { Command } from 'commander';
import { describeBackfill } from '../command-line/describe-backfill.js';

const HOUR_MS = 3_600_000;

export function dbStatusCommand(): Command {
  return new Command('status')
    .description(
      'show the migrations and backfills, whether this code is compatible with the schema, the newest backup that was proved, and the archive',
    )
    .option('--json', 'print the status as JSON')
    .action(run);
}

async function run({ json }: { json?: true }): Promise<void> {
  const [{ loadConfig }, { loadStatus }, { model }] = await Promise.all([
    import('@airlock/config/loading'),
    import('@airlock/database/operations'),
    import('@airlock/model'),
  ]);
  const status = await loadStatus({ ...model, config: loadConfig({ program: 'migrate' }) });
  if (json) return console.log(JSON.stringify(status, null, 2));
  for (const { name, phase, state, appliedAt, durationMs, actor } of status.migrations)
    console.log(
      [
        state.padEnd(8),
        phase.padEnd(8),
        name,
        appliedAt && `${appliedAt.toISOString()} in ${String(durationMs)} ms by ${String(actor)}`,
      ]
        .filter(Boolean)
        .join('  '),
    );
  for (const backfill of status.backfills) console.log(describeBackfill(backfill));
  console.log(`${status.database} (${status.environment}): ${status.verdict.state}`);
  for (const reason of status.verdict.reasons) console.log(`  ${reason}`);
  if (status.backup)
    console.log(`  the newest backup is ${inHours(status.backup.ageMs)} hours old: ${status.backup.name}`);
  console.log(`  ${describeBackup(status.restorable)}`);
  if (status.archive) console.log(`  ${describeArchive(status.archive)}`);
  if (!status.isProvisioned)
    console.log('  an older version provisioned it; before the migrations: airlock db provision');
}

function describeBackup(restorable: DatabaseStatus['restorable']): string {
  if (!restorable) return 'no backup was proved to be restorable: airlock db restore-drill';
  const hours = inHours(Date.now() - restorable.takenAt.getTime());
  const took = restorable.restoreMs === null ? '' : `, restored in ${(restorable.restoreMs / 1000).toFixed(1)} s`;
  return `the newest backup that was proved to be restorable is ${hours} hours old${took}: ${restorable.name}`;
}

function inHours(ms: number): string {
  return (ms / HOUR_MS).toFixed(1);
}

function describeArchive({ isFailing, failures, ...last }: NonNullable<DatabaseStatus['archive']>): string {
  const until = last.lastArchivedAt ? `${last.lastArchived} at ${last.lastArchivedAt.toISOString()}` : 'nothing yet';
  if (!isFailing) return `the archive has ${until}`;
  return (
    `the archive FAILS: it has ${until}, and ${failures} attempts failed; no later moment can be recovered, and the WAL\n` +
    '  fills the disk of the server: read the log of the service archive'
  );
}
