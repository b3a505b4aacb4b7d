import { LAYERS } from './layers.js';
import { type ResetOptions, type ResetReport, runReset } from './run-reset.js';

/**
 * Recreates the test database: empty, migrated, seeded. All layers must hold; no option, variable or prompt replaces
 * one.
 */
export function resetTestDatabase({ explain, ...options }: ResetOptions): Promise<ResetReport> {
  return runReset({ ...options, explain: explain === true }, { layers: LAYERS });
}
