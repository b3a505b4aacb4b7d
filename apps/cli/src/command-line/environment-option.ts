import { Option } from 'commander';
import { ENVIRONMENTS } from '@airlock/config';

export function createEnvironmentOption(description: string): Option {
  return new Option('--environment <name>', description).choices([...ENVIRONMENTS]);
}
