import { Option } from 'commander';
import { ENVIRONMENTS } from '@airlock/config/surroundings';

export function createEnvironmentOption(description: string): Option {
  return new Option('--environment <name>', description).choices([...ENVIRONMENTS]);
}
