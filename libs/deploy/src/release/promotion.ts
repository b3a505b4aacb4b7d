import { environmentsWithout, isEnvironment, listNames, traitsOf } from '@airlock/config';
import { DeployError, EXIT } from '../engine/deploy-error.js';

const lasting = () => environmentsWithout('isDisposable');

/** Environments whose images have proved themselves: they take builds, and their records last. */
export const listPromotable = () => lasting().filter((environment) => traitsOf(environment).takesBuilds);

/** @throws DeployError unless images go from the one to the other */
export function assertPromotion({ from, to }: { from: string; to: string }): void {
  const sources = listPromotable();
  const targets = lasting().filter((environment) => !traitsOf(environment).takesBuilds);
  const isIn = (names: typeof sources, name: string) => isEnvironment(name) && names.includes(name);
  if (isIn(sources, from) && isIn(targets, to)) return;
  throw new DeployError({
    text: `promote: from ${JSON.stringify(from)} to ${JSON.stringify(to)}; expected from ${listNames(sources)} to ${listNames(targets)}`,
    mend: `use: airlock promote ${sources[0]} ${targets.at(-1)}`,
    exitCode: EXIT.usage,
  });
}
