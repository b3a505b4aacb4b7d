import { ENVIRONMENTS, traitsOf } from '@airlock/config';

/** What an environment needs beside its row in the table: paths from the root of the repository. */
export function listEnvironmentFiles(): string[] {
  return ENVIRONMENTS.flatMap((environment) => {
    const { mayBeStatedByFile, runsLocally } = traitsOf(environment);
    const example = mayBeStatedByFile ? '.env.example' : `docker/env/${environment}.env.example`;
    return [example, ...(runsLocally ? [] : [`compose.${environment}.yml`])];
  });
}
