import { environmentsWith, traitsOf } from '@airlock/config';

/** Reads the stamp in the output of `airlock db status --json`. No flag overrides it. */
export function assertStampWritable(status: string): void {
  const { environment, database } = JSON.parse(status) as { environment: string; database: string };
  if (traitsOf(environment).mayBeWrittenByTests) return;
  throw new Error(
    `e2e: database "${database}" is stamped ${environment}; expected ${environmentsWith('mayBeWrittenByTests').join(', ')}\n` +
      `  The smoke suite reads only: nx run smoke:check --url URL --environment ${environment}`,
  );
}
