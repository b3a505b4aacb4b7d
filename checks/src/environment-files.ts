import { ENVIRONMENTS, traitsOf } from '@airlock/config';

/**
 * The files that an environment needs in addition to its row in the table, as paths from the root of the repository.
 */
export function listEnvironmentFiles(): string[] {
  return ENVIRONMENTS.flatMap((environment) => {
    const { mayBeStatedByFile, runsLocally } = traitsOf(environment);
    const example = mayBeStatedByFile ? '.env.example' : `docker/env/${environment}.env.example`;
    return [example, ...(runsLocally ? [] : [`compose.${environment}.yml`])];
  });
}
