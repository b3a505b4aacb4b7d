import { DeployError } from '../engine/deploy-error.js';
import type { DeploymentRecord, StagedRehearsal } from '../release/release-record.js';
import type { Preflight, SchemaStatus } from './preflight.js';

/** By the name of the migration, of an image whose statements the database has compared. */
export function listRehearsals({ migrations }: SchemaStatus): Readonly<Record<string, StagedRehearsal>> {
  return Object.fromEntries(migrations.flatMap(({ name, rehearsal }) => (rehearsal ? [[name, rehearsal]] : [])));
}

/**
 * The digest of both environments is the same, and so are the statements of its migrations.
 *
 * @throws DeployError unless each migration that is pending here was rehearsed in staging, on rows that are young enough
 */
export function assertRehearsed(
  { pending, status }: Preflight,
  { staged, withinMs, now = Date.now() }: { staged: DeploymentRecord; withinMs: number; now?: number },
): void {
  const problems = pending.flatMap((name) => {
    const problem = findProblem(staged.rehearsals?.[name], { withinMs, now, serverMajor: status?.serverMajor });
    return problem === undefined ? [] : [`${name}: ${problem}`];
  });
  if (problems.length === 0) return;
  throw new DeployError({
    text: [
      `promote: ${problems.join('\n')}`,
      `expected a rehearsal of each pending migration, within its budgets, on rows that are at most ${inHours(withinMs)} old`,
    ].join('\n'),
    fix:
      'nothing was changed; in staging: airlock db refresh, with the release that production runs; then, with this image,\n' +
      'airlock db migrate --rehearse and airlock deploy staging, which keeps the result in its record',
  });
}

function findProblem(
  rehearsal: StagedRehearsal | undefined,
  { withinMs, now, serverMajor }: { withinMs: number; now: number; serverMajor: number | undefined },
): string | undefined {
  if (rehearsal === undefined) return 'was not rehearsed before staging ran it';
  const ageMs = now - Date.parse(rehearsal.refreshedAt);
  // Also a time that cannot be read.
  if (!(ageMs <= withinMs)) return `was rehearsed on rows of ${rehearsal.refreshedAt}, ${inHours(ageMs)} ago`;
  if (rehearsal.serverMajor !== serverMajor)
    return `was rehearsed on PostgreSQL ${rehearsal.serverMajor}, and the server here is ${serverMajor ?? 'unknown'}`;
  if (!rehearsal.isWithinBudget)
    return `exceeded a budget, and other sessions waited up to ${Math.round(rehearsal.longestWaitMs)} ms`;
  return undefined;
}

function inHours(ms: number): string {
  return `${Math.round(ms / 360_000) / 10} h`;
}
