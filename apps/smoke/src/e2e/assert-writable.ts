/** Where a test may write. Staging and production hold what people rely on. */
const WRITABLE = ['development', 'testing', 'preview'];

/** Reads the answer of `airlock db status --json`: the stamp is the database's own word, and no flag replaces it. */
export function assertWritable(status: string): void {
  const { environment, database } = JSON.parse(status) as { environment: string; database: string };
  if (WRITABLE.includes(environment)) return;
  throw new Error(
    `e2e: database "${database}" is stamped ${environment}; expected ${WRITABLE.join(', ')}\n` +
      `  The smoke suite reads only: nx run smoke:check --url URL --environment ${environment}`,
  );
}
