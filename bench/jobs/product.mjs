// The jobs of the bench. Each writes a row; `exactly` ends in the transaction of the row, `at-least` when it returns.
import { setTimeout as sleep } from 'node:timers/promises';
import { job } from '@airlock/service/jobs';
import { z } from 'zod';

const WORK_MS = 20;
const data = z.strictObject({ key: z.string() });
const insert = (tx, kind, key) => tx.query('INSERT INTO bench_runs (kind, key) VALUES ($1, $2)', [kind, key]);

export const exactly = job({
  name: 'bench.exactly',
  data,
  run: async ({ data: { key }, database, finish }) => {
    await sleep(WORK_MS * 2 * Math.random());
    await database.asUser('bench', async (tx) => {
      await insert(tx, 'exactly', key);
      await finish(tx);
    });
  },
});

export const atLeast = job({
  name: 'bench.at-least',
  data,
  run: async ({ data: { key }, database }) => {
    await database.asUser('bench', (tx) => insert(tx, 'at-least', key));
    await sleep(WORK_MS * 2 * Math.random());
  },
});

export const tick = job({
  name: 'bench.tick',
  data: z.strictObject({}),
  schedule: { cron: '* * * * * *', timeZone: 'UTC', data: {} },
  run: ({ id, database, finish }) =>
    database.asUser('bench', async (tx) => {
      await insert(tx, 'tick', id);
      await finish(tx);
    }),
});

/** Says that it has begun, and does not end by itself. */
export const held = job({
  name: 'bench.held',
  data,
  run: ({ logger, signal }) => {
    logger.info('held.begun');
    return new Promise((resolve) => signal.addEventListener('abort', resolve));
  },
});

export const product = {
  checkSchema: () => Promise.resolve({ isServing: true, reasons: [] }),
  loadEntities: () => Promise.resolve([]),
  cachedTables: [],
  jobModules: [],
  jobs: [exactly, atLeast, tick, held],
};
