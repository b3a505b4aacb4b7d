import { Option, InvalidArgumentError } from 'commander';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** Loads the names only for help or an error message: the command is defined before any lib is loaded. */
export function createEnvironmentOption(description: string): Option {
  const option = new Option('--environment <name>', description).argParser((name: string) => {
    if (listEnvironments().includes(name)) return name;
    throw new InvalidArgumentError(`Allowed choices are ${listEnvironments().join(', ')}.`);
  });
  return Object.defineProperty(option, 'argChoices', { get: listEnvironments });
}

function listEnvironments(): readonly string[] {
  return (require('@airlock/config') as typeof import('@airlock/config')).ENVIRONMENTS;
}
