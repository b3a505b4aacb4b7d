import { readFileSync } from 'node:fs';
import { FIXED_IN_STACKS } from '@airlock/config';
import { DeployError } from '../engine/deploy-error.js';

/** A setting that no service gets would be ignored silently. @throws DeployError with the reason for each */
export function assertSettingsReachStack(files: readonly string[]): void {
  const problems = files.flatMap((file) => findFixed(file));
  if (problems.length === 0) return;
  throw new DeployError({
    text: problems.join('\n'),
    fix: 'remove these lines; docs/docker.md lists the variables that may be set',
  });
}

function findFixed(file: string): string[] {
  const names = [...readIfPossible(file).matchAll(/^[ \t]*(?:export[ \t]+)?(\w+)[ \t]*[=:]/gm)].map(
    ([, name = '']) => name,
  );
  const fixed = new Map(Object.entries(FIXED_IN_STACKS));
  return [...new Set(names)].flatMap((name) => {
    const reason = fixed.get(name.replace(/_FILE$/, ''));
    return reason === undefined ? [] : [`${file}: sets ${name}; expected it to be left out, because ${reason}`];
  });
}

/** Compose itself reports a file that cannot be read. */
function readIfPossible(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
