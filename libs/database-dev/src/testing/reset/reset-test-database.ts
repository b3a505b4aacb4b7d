import { LAYERS } from './layers.js';
import { type ResetOptions, type ResetReport, runReset } from './run-reset.js';

/**
 * Makes the test database anew: empty, migrated, seeded. All layers must hold; there is no option, variable or prompt
 * that takes the place of one.
 */
export function resetTestDatabase({ explain, ...options }: ResetOptions): Promise<ResetReport> {
  return runReset({ ...options, explain: explain === true }, { layers: LAYERS });
}
