import { execute } from './docker.js';
import { DeployError } from './deploy-error.js';

/** The commit that a tag stands for, annotated or not. */
export async function resolveCommit(tag: string): Promise<string> {
  const { status, stdout } = await execute('git', ['rev-parse', '--verify', '--quiet', `refs/tags/${tag}^{commit}`]);
  if (status === 0) return stdout.trim();
  throw new DeployError({
    text: `${tag}: is no tag here; expected the tag of a release`,
    mend: 'fetch it: git fetch --tags',
  });
}

/** The releases vX.Y.Z that a commit is, the newest first. */
export async function listReleases(commit: string): Promise<string[]> {
  const { stdout } = await execute('git', ['tag', '--points-at', commit, '--sort=-version:refname']);
  return stdout.split('\n').filter(isRelease);
}

export function isRelease(tag: string): boolean {
  return /^v(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*)){2}$/.test(tag);
}
