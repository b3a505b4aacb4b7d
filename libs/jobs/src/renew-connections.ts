import { ConnectionUpkeep } from '@airlock/provider-connections';
import { job } from '@airlock/service/jobs';
import { z } from 'zod';

/** Keeps the tokens of connected accounts fresh, and encrypts those of an older key with the current one. */
export const renewConnections = job({
  name: 'connections.refresh',
  data: z.strictObject({}),
  schedule: { cron: '*/5 * * * *', timeZone: 'UTC', data: {} },
  run: async ({ get, logger }) => {
    const report = await get(ConnectionUpkeep).run();
    if (Object.values(report).some((count) => count > 0)) logger.info(report, 'connections.refreshed');
  },
});
