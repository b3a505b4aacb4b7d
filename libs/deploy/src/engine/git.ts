import { execute } from './docker.js';
import { DeployError } from './deploy-error.js';

/** The commit that a tag points to, annotated or not. */
export async function resolveCommit(tag: string): Promise<string> {
  const { status, stdout } = await git('rev-parse', '--verify', '--quiet', `refs/tags/${tag}^{commit}`);
  if (status === 0) return stdout.trim();
  throw new DeployError({
    text: `${tag}: is not a tag in this clone; expected the tag of a release`,
    fix: 'fetch the tags: git fetch --tags',
  });
}

/** The tags vX.Y.Z at a commit, the newest first. */
export async function listReleases(commit: string): Promise<string[]> {
  const { stdout } = await git('tag', '--points-at', commit, '--sort=-version:refname');
  return stdout.split('\n').filter(isRelease);
}

/** In a checkout of any user, such as one that is mounted into a container. */
function git(...args: string[]) {
  return execute('git', ['-c', 'safe.directory=*', ...args]);
}

export function isRelease(tag: string): boolean {
  return /^v(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*)){2}$/.test(tag);
}
