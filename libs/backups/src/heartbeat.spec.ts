import { expect, it } from '@jest/globals';
import { assertAlive, createRecovery } from './heartbeat.js';
import type { BackupManifest } from './manifest.js';

const takenAt = '2026-11-28T10:00:00.000Z';
const MINUTE = 60_000;
const judge = (lagMs: number) => {
  const recovery = createRecovery(new Date(Date.parse(takenAt) - lagMs), 0);
  return () => assertAlive({ name: '20261128T100000Z', takenAt } as BackupManifest, recovery, 15 * MINUTE);
};

it('accepts a backup whose last heartbeat is within the limit', () => {
  expect(judge(15 * MINUTE)).not.toThrow();
});

it('tells how old the heartbeat was in minutes, and never as many as are allowed', () => {
  expect(judge(15 * MINUTE + 1)).toThrow('has a heartbeat 16m older than the backup; expected one within 15m, which');
});
