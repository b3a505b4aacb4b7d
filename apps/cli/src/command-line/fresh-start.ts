import type { Config } from '@airlock/config';

/** A developer's database keeps the migrations of every branch that was served, and can be made again. */
export function describeFreshStart(error: unknown, config: Config | undefined): string {
  const isRefused = error instanceof Error && error.name === 'MigrationRefusal';
  const isOurs = config?.database.server === 'embedded';
  return isRefused && isOurs ? `\n  Or delete the data and start over: rm -r .airlock/postgres` : '';
}
