import { useTestDatabase } from '@airlock/database-dev/testing';
import { Lifecycle } from '@airlock/health';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Metrics } from '../telemetry/prometheus-metrics.js';
import { readArchiveDelay, readBackupAge } from './backup-age.js';
import { type DataWorld, openDataWorld } from './data-world.fixture.js';

describe('backup_restorable_age_seconds', () => {
  const test = useTestDatabase({ isolation: 'delete' });
  let world: DataWorld;
  beforeAll(async () => void (world = await openDataWorld(test.config)));
  afterAll(() => world.close());

  const show = async (read: () => Promise<number | undefined>) => {
    const metrics = new Metrics({
      lifecycle: new Lifecycle(),
      version: { version: '1.0.0', commit: undefined } as never,
    });
    metrics.watchBackups(read);
    return /^backup_restorable_age_seconds (.*)$/m.exec(await metrics.registry.metrics())?.[1];
  };

  it('is infinite until a drill has proved a backup, and then the age of the newest', async () => {
    expect(await show(() => readBackupAge(world.database))).toBe('+Inf');
    const insert = `INSERT INTO ops.restorable_backups (name, taken_at) SELECT n::text, now() - n * interval '1 hour' FROM generate_series(2, 3) n`;
    await test.query(insert);
    const age = Number(await show(() => readBackupAge(world.database)));
    expect(Math.round(age / 3_600)).toBe(2);
  });

  it('is absent while the database is unavailable, and never 0', async () => {
    expect(await show(() => Promise.reject(new Error('unavailable')))).toBeUndefined();
  });

  it('is absent for the archive of a server that archives nothing', async () => {
    expect(await readArchiveDelay(world.database)).toBeUndefined();
    expect(await show(() => readArchiveDelay(world.database))).toBeUndefined();
  });
});
