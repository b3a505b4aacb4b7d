import type { Client } from 'pg';
import { defineBackfill } from '../model/backfill.js';
import { defineMigration } from '../model/migration.js';

export const createPeople = defineMigration({
  name: '20260101000000-create-people',
  phase: 'expand',
  statements: [
    `CREATE TABLE public.people (
      owner_id text NOT NULL, id integer NOT NULL, name text NOT NULL, touched integer NOT NULL DEFAULT 0,
      PRIMARY KEY (owner_id, id))`,
  ],
});

export const addNickname = defineMigration({
  name: '20260102000000-add-nickname',
  phase: 'expand',
  statements: [`ALTER TABLE public.people ADD COLUMN nickname text`],
});

export const fillNickname = defineBackfill({
  name: 'fill-nickname',
  follows: addNickname.name,
  table: 'public.people',
  set: { nickname: 'lower(name)', touched: 'touched + 1' },
  where: 'nickname IS NULL',
});

export const dropName = defineMigration({
  name: '20260103000000-drop-name',
  phase: 'contract',
  completes: addNickname.name,
  backfills: [fillNickname.name],
  statements: [`ALTER TABLE public.people DROP COLUMN name`],
});

export const before = [createPeople, addNickname];
export const peopleModel = { migrations: [...before, dropName], backfills: [fillNickname] };

/** Row-level security as on every table of a product, with or without the policy that opens the rows to the system. */
export const protect = (isOpen: boolean) => `
  ALTER TABLE public.people ENABLE ROW LEVEL SECURITY;
  ALTER TABLE public.people FORCE ROW LEVEL SECURITY;
  CREATE POLICY people_owner ON public.people USING (owner_id = current_setting('app.user_id', true));
  ${isOpen ? 'CREATE POLICY people_system ON public.people TO airlock_system USING (true) WITH CHECK (true);' : ''}`;

/** Of three users. */
export async function addPeople(superuser: Client, count: number): Promise<void> {
  await superuser.query(
    `INSERT INTO public.people (owner_id, id, name) SELECT 'user_' || n % 3, n, 'Person ' || n FROM generate_series(1, $1::int) n`,
    [count],
  );
  await superuser.query('ANALYZE public.people');
}

/** How many rows were changed how often: `{ '1': 1000 }` is each of 1000 once. */
export async function countTouches(superuser: Client): Promise<Record<string, number>> {
  const { rows } = await superuser.query<{ touched: number; rows: number }>(
    'SELECT touched, count(*)::int AS rows FROM public.people GROUP BY touched',
  );
  return Object.fromEntries(rows.map((row) => [row.touched, row.rows]));
}

/** Small batches and short waits; the order of the steps is the same. */
export const SHORT_LIMITS = {
  firstBatchRows: 10,
  largestBatchRows: 50,
  heartbeatMs: 10,
  lockTimeoutMs: 100,
  retryBaseMs: 20,
  retryCapMs: 100,
  pausePollMs: 20,
  yieldMs: 20,
  progressMs: 0,
} as const;
