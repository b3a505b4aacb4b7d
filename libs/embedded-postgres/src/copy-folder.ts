import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { promisify } from 'node:util';
import { SYSTEM_ENVIRONMENT } from './system-environment.js';

const run = promisify(execFile);

/**
 * Copies the contents of the folder. cp is twice as fast as fs.cp for a thousand small files, keeps the owner, and
 * clones where the file system can.
 */
export async function copyFolder(source: string, target: string): Promise<void> {
  mkdirSync(target, { recursive: true });
  await run('cp', ['-a', `${source}/.`, target], { env: SYSTEM_ENVIRONMENT });
}
