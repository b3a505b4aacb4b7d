import { Option } from 'commander';
import type { Environment } from '@airlock/config';

/** Said again here, so that `--help` and mistakes are answered before any lib is loaded. */
const NAMES = ['development', 'testing', 'preview', 'staging', 'production'] as const satisfies readonly Environment[];

export function createEnvironmentOption(description: string): Option {
  return new Option('--environment <name>', description).choices([...NAMES]);
}
