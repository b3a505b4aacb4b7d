import { digestOf } from '../engine/image-reference.js';
import { readCall, runCalls, type CallSurroundings } from './run-calls.js';
import type { TargetRequest, Undo } from './target.js';

export interface FailedDeploy {
  readonly request: TargetRequest;
  /** The image that the platform was set to before the first call; empty if it ran none. */
  readonly imageBefore: string;
  /** The digest that the public address returned before the first call. */
  readonly servedBefore: string | null;
}

/**
 * Rolls back what this deploy rolled out. A deploy that failed earlier, such as in its migration, has nothing to undo.
 */
export async function undoRollout(undo: Undo, failed: FailedDeploy, around: CallSurroundings): Promise<void> {
  const { request, imageBefore, servedBefore } = failed;
  const imageNow = await readCall(undo.readImage(request), around);
  if (imageNow === undefined)
    return around.report('undo: the platform did not report its current image; nothing was undone');
  const isSame = imageBefore === request.image || servedBefore === request.digest;
  if (imageNow !== request.image || isSame) {
    return around.report('undo: this deploy did not replace the release, so there is nothing to undo');
  }
  const revision = servedBefore && findRevision(await readCall(undo.readRevisions(request), around), servedBefore);
  if (!revision) {
    return around.report(
      `undo: the platform has no release of ${servedBefore ?? 'the previous digest'}; nothing was undone`,
    );
  }
  await runCalls([undo.goBack(request, revision)], around);
}

/** The newest revision that runs the digest. */
function findRevision(lines = '', digest: string): string | undefined {
  const revisions = lines.split('\n').map((line) => line.trim().split(' '));
  const matching = revisions
    .filter(([, image = '']) => digestOf(image) === digest)
    .map(([revision]) => Number(revision));
  return matching.length > 0 ? String(Math.max(...matching)) : undefined;
}
