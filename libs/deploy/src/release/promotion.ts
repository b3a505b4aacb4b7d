import { environmentsWithout, isEnvironment, listNames, traitsOf } from '@airlock/config';
import { DeployError, EXIT } from '../engine/deploy-error.js';

const lasting = () => environmentsWithout('isDisposable');

/** Environments to promote from: they accept builds, and their records are kept. */
export const listPromotable = () => lasting().filter((environment) => traitsOf(environment).takesBuilds);

/** @throws DeployError unless images are promoted from `from` to `to` */
export function assertPromotion({ from, to }: { from: string; to: string }): void {
  const sources = listPromotable();
  const targets = lasting().filter((environment) => !traitsOf(environment).takesBuilds);
  const isIn = (names: typeof sources, name: string) => isEnvironment(name) && names.includes(name);
  if (isIn(sources, from) && isIn(targets, to)) return;
  throw new DeployError({
    text: `promote: from ${JSON.stringify(from)} to ${JSON.stringify(to)}; expected from ${listNames(sources)} to ${listNames(targets)}`,
    fix: `use: airlock promote ${sources[0]} ${targets.at(-1)}`,
    exitCode: EXIT.usage,
  });
}
