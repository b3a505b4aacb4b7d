import type { Config } from '@airlock/config';
import { createDataSource, IdentityError, openCopy, openRunner } from '@airlock/database';
import type { Model } from '@airlock/database/model';
import type { DataSource } from 'typeorm';
import { readCode } from '../failures/database-failures.js';
import { type CheckSchema, Database } from './database.js';

const SERVICE = 'restore-drill';
const POOL_SIZE = 2;
const TIMEOUT_MS = 60_000;

/** The report is on the standard output. Failures are in it; a pool whose copy is dropped as it closes is none. */
const OUTSIDE_OF_THE_REPORT = { log: (text: string) => console.error(text), warn: () => undefined };

/**
 * Asks a restored copy what a process asks its database: whether its schema fits this code, and for a row of each entity, as the
 * system and as a user. It sends nothing to another service, and runs no job.
 *
 * @param config with the application's login at the copy
 * @returns the questions that failed, without a value of a row
 * @throws IdentityError unless it is a copy of this environment
 */
export async function askCopy(
  config: Config,
  { checkSchema, loadEntities }: { checkSchema: CheckSchema } & Pick<Model, 'loadEntities'>,
): Promise<string[]> {
  const own = { ...config, database: { ...config.database, poolSize: POOL_SIZE } };
  const dataSource = createDataSource(own, {
    entities: [...(await loadEntities())],
    purpose: SERVICE,
    printSql: OUTSIDE_OF_THE_REPORT,
  });
  const connected = await attempt('the application connects', () => openCopy(dataSource, config));
  if (connected !== undefined) return [connected];
  try {
    const database = new Database(dataSource, {
      service: SERVICE,
      statementTimeoutMs: TIMEOUT_MS,
      transactionTimeoutMs: TIMEOUT_MS,
      poolSize: POOL_SIZE,
      openRunner: () => openRunner(dataSource),
      checkSchema,
      constraints: {},
    });
    const problems = [await attempt('the schema fits this release', () => database.ping())];
    for (const [what, ask] of listQuestions(dataSource, database)) problems.push(await attempt(what, ask));
    return problems.filter((problem) => problem !== undefined);
  } finally {
    await dataSource.destroy();
  }
}

function listQuestions(dataSource: DataSource, database: Database): [what: string, ask: () => Promise<unknown>][] {
  return dataSource.entityMetadatas.flatMap(({ target, tablePath }) => [
    [
      `the system reads ${tablePath}`,
      () => database.asSystem(SERVICE, (tx) => tx.getRepository(target).find({ take: 1 })),
    ],
    [`a user reads ${tablePath}`, () => database.asUser(SERVICE, (tx) => tx.getRepository(target).find({ take: 1 }))],
  ]);
}

/** Messages of the server may contain a value, so only its code is shown. */
async function attempt(what: string, ask: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await ask();
    return undefined;
  } catch (error) {
    if (error instanceof IdentityError) throw error;
    const code = readCode(error) ?? readCode((error as { driverError?: unknown }).driverError);
    return `${what}: failed (${code ?? (error as Error).message})`;
  }
}
