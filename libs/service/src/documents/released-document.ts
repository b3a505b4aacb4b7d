import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Json } from './schema-changes.js';

/** Git refuses a checkout of another user, such as one that is mounted into a container. */
const ANY_OWNER = ['-c', 'safe.directory=*'];

/** The last tag such as v1.2.3 that is part of the history of a folder. @returns undefined where there is none */
export function findRelease(folder: string): string | undefined {
  if (!isRepository(folder)) return undefined;
  const tags = git(folder, 'tag', '--merged', 'HEAD', '--sort=-version:refname', '--list', 'v[0-9]*.[0-9]*.[0-9]*');
  return tags.split('\n').find((tag) => tag !== '');
}

/** A checkout that was unpacked from an archive has no history, and one that was copied in part has a useless one. */
function isRepository(folder: string): boolean {
  if (!existsSync(join(folder, '.git'))) return false;
  const { status } = spawnSync('git', [...ANY_OWNER, 'rev-parse', '--verify', '--quiet', 'HEAD'], { cwd: folder });
  return status === 0;
}

/** An OpenAPI document as it was released under a tag. @param path of its file, from the folder */
export function readReleased(folder: string, { tag, path }: { tag: string; path: string }): Json {
  return JSON.parse(git(folder, 'show', `${tag}:${path}`)) as Json;
}

function git(folder: string, ...args: string[]): string {
  return execFileSync('git', [...ANY_OWNER, ...args], {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}
