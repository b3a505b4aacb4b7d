import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { job } from '../jobs/job.js';
import { Mailer } from '../mail/mailer.js';
import { tryEveryWay } from './every-way.fixture.js';
import { HttpPeers } from './http-peers.js';

const PAUSE_MS = 60_000;

/** Tries every way in its first step. The first process pauses where the data say, to be killed there. */
export const plantedJob = job({
  name: 'planted',
  data: z.strictObject({
    ports: z.strictObject({ http: z.int(), mail: z.int(), raw: z.int() }),
    pause: z.enum(['never', 'before the end of the step', 'after the step']),
  }),
  cursor: z.literal('sent'),
  step: async ({ data: { ports, pause }, cursor, attempt, get, logger }) => {
    const pauseAt = async (place: typeof pause) => {
      if (pause !== place || attempt > 1) return;
      logger.info('planted.paused');
      await sleep(PAUSE_MS);
    };
    if (cursor === undefined) {
      logger.info({ outcomes: await tryEveryWay(get(HttpPeers), get(Mailer), ports) }, 'planted.tried');
      await pauseAt('before the end of the step');
      return 'sent';
    }
    await pauseAt('after the step');
    return undefined;
  },
});
