/** For commands: loads neither Nest nor TypeORM. */
import { type ApplicationTarget, withApplication } from '@airlock/database/operations';
import type { Client } from 'pg';
import { PgBoss } from 'pg-boss';

export type { ApplicationTarget };

export interface QueueState {
  readonly job: string;
  /** Could start now. */
  readonly ready: number;
  /** Will start later: after a pause, or at the time that the sender has set. */
  readonly waiting: number;
  readonly running: number;
  /** When the oldest ready one could have started. */
  readonly oldest: Date | null;
}

export interface DeadLetter {
  readonly id: string;
  readonly job: string;
  readonly key: string | null;
  readonly failedAt: Date;
  readonly attempts: number;
  /** Type, code and request of the last error; its message is in the log. */
  readonly reason: Readonly<Record<string, unknown>> | null;
}

/** The caller named no dead letter. Nothing was changed. */
export class JobsRefusal extends Error {
  override readonly name = 'JobsRefusal';
  readonly exitCode = 3;
}

const NAME = 'dead-letters';
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const QUEUES = `
  SELECT name AS job,
         count(*) FILTER (WHERE state < 'active' AND start_after <= now())::int AS ready,
         count(*) FILTER (WHERE state < 'active' AND start_after > now())::int AS waiting,
         count(*) FILTER (WHERE state = 'active')::int AS running,
         min(start_after) FILTER (WHERE state < 'active' AND start_after <= now()) AS oldest
    FROM jobs.job WHERE state <= 'active' AND name <> '${NAME}' GROUP BY name ORDER BY name`;
const DEAD_LETTERS = `
  SELECT id, source_name AS job, singleton_key AS key, created_on AS "failedAt", source_retry_count + 1 AS attempts,
         source_output AS reason
    FROM jobs.job WHERE name = '${NAME}' AND state = 'created'`;

/** The jobs that have not ended, by name, and the dead letters, the oldest first. */
export async function listJobs(
  target: ApplicationTarget,
): Promise<{ queues: QueueState[]; deadLetters: DeadLetter[] }> {
  return withQueues(target, async (client) => ({
    queues: (await client.query<QueueState>(QUEUES)).rows,
    deadLetters: (await client.query<DeadLetter>(`${DEAD_LETTERS} ORDER BY created_on, id`)).rows,
  }));
}

/**
 * Gives dead letters back to their queues, with all their repetitions.
 *
 * @throws JobsRefusal unless all ids are those of dead letters
 */
export async function retryDeadLetters(target: ApplicationTarget, ids: readonly string[]): Promise<number> {
  return withDeadLetters(target, ids, (boss) => boss.redrive(NAME, { ids: [...ids] }));
}

/**
 * Removes dead letters. Their jobs never run.
 *
 * @throws JobsRefusal unless all ids are those of dead letters
 */
export async function discardDeadLetters(target: ApplicationTarget, ids: readonly string[]): Promise<number> {
  return withDeadLetters(target, ids, async (boss) => {
    await boss.deleteJob(NAME, [...ids]);
    return ids.length;
  });
}

/** All of them or none: in one transaction, in which no other command can change them. */
async function withDeadLetters(
  target: ApplicationTarget,
  ids: readonly string[],
  change: (boss: PgBoss) => Promise<number>,
): Promise<number> {
  return withQueues(target, async (client) => {
    await client.query('BEGIN');
    try {
      await assertDeadLetters(client, ids);
      const changed = await change(openQueues(client));
      if (changed !== new Set(ids).size) {
        throw new JobsRefusal(
          `jobs: only ${changed} of ${ids.length} could be changed, so none was; expected jobs that a worker knows`,
        );
      }
      await client.query('COMMIT');
      return changed;
    } catch (error) {
      await client.query('ROLLBACK');
      throw error;
    }
  });
}

async function assertDeadLetters(client: Client, ids: readonly string[]): Promise<void> {
  const wellFormed = ids.filter((id) => UUID.test(id));
  const sql = `${DEAD_LETTERS} AND id = ANY ($1::uuid[]) FOR UPDATE`;
  const found = new Set((await client.query<DeadLetter>(sql, [wellFormed])).rows.map(({ id }) => id));
  const missing = ids.filter((id) => !found.has(id));
  if (missing.length === 0) return;
  throw new JobsRefusal(
    `jobs: ${missing.map((id) => JSON.stringify(id.slice(0, 60))).join(', ')}: no dead letter has this id; ` +
      'expected an id of the list, and nothing was changed\n  airlock jobs list',
  );
}

async function withQueues<T>(target: ApplicationTarget, use: (client: Client) => Promise<T>): Promise<T> {
  return withApplication(target, 'jobs', async (client) => {
    const { rows } = await client.query<{ found: boolean }>(`SELECT to_regclass('jobs.job') IS NOT NULL AS found`);
    if (rows[0]?.found) return use(client);
    throw new JobsRefusal(
      `database "${String(client.database)}": has no queues; expected those that a migration creates\n  airlock db migrate`,
    );
  });
}

function openQueues(client: Client): PgBoss {
  const boss = new PgBoss({
    db: { executeSql: (text, values) => client.query(text, values) },
    ...{ schema: 'jobs', migrate: false, createSchema: false, registerInstance: false },
    openTelemetry: { enabled: false },
  });
  // Without a listener an event would be thrown; the calls themselves reject.
  return boss.on('error', () => undefined);
}
