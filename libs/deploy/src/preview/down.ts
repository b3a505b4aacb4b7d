import type { Docker } from '../engine/docker.js';
import { DeployError, EXIT, toDeployError } from '../engine/deploy-error.js';
import { lifeVolume, listPreviews, type Preview } from './preview-stack.js';

/**
 * Removes everything with the project's label. It needs no file of the preview: the branch may be deleted. The mark is
 * removed last, so that the reaper finds a removal that failed half-way.
 */
export async function previewDown(docker: Docker, project: string): Promise<void> {
  const label = `label=com.docker.compose.project=${project}`;
  const images = await list(docker, ['ps', '--all', '--format', '{{.Image}}', '--filter', label]);
  await remove(
    docker,
    ['rm', '--force', '--volumes'],
    await list(docker, ['ps', '--all', '--quiet', '--filter', label]),
  );
  await remove(docker, ['network', 'rm'], await list(docker, ['network', 'ls', '--quiet', '--filter', label]));
  await remove(docker, ['volume', 'rm', '--force'], await list(docker, ['volume', 'ls', '--quiet', '--filter', label]));
  await assertGone(docker, project, label);
  await docker.attempt(['volume', 'rm', '--force', lifeVolume(project)]);
  // Another container may still use an image; the engine then refuses to remove it.
  for (const image of new Set(images.filter((name) => name.includes('@'))))
    await docker.attempt(['image', 'rm', image]);
}

/** The previews to remove: past their lifetime, or of a pull request that is not open. */
export function findExpired(previews: readonly Preview[], open: ReadonlySet<number> | undefined, now: Date): Preview[] {
  return previews.filter(({ number, expires }) => expires < now || (open !== undefined && !open.has(number)));
}

/**
 * A preview that cannot be removed does not stop the others. It is named at the end and tried again at the next run.
 */
export async function reap(
  docker: Docker,
  { prefix, open }: { prefix: string; open: ReadonlySet<number> | undefined },
): Promise<Preview[]> {
  const expired = findExpired(await listPreviews(docker, prefix), open, new Date());
  const problems: string[] = [];
  for (const { project } of expired) {
    await previewDown(docker, project).catch((error: unknown) => problems.push(toDeployError(error, project).message));
  }
  if (problems.length === 0) return expired;
  throw new DeployError({
    text: problems.join('\n'),
    fix: `${expired.length - problems.length} of ${expired.length} were removed; the next run tries the others again`,
    exitCode: EXIT.broken,
  });
}

async function list(docker: Docker, words: readonly string[]): Promise<string[]> {
  return (await docker.run(words)).split('\n').filter((line) => line !== '');
}

async function remove(docker: Docker, words: readonly string[], names: readonly string[]): Promise<void> {
  if (names.length > 0) await docker.attempt([...words, ...names], { timeoutMs: 120_000 });
}

async function assertGone(docker: Docker, project: string, label: string): Promise<void> {
  const kinds = [
    ['ps', '--all'],
    ['network', 'ls'],
    ['volume', 'ls'],
  ] as const;
  const left = await Promise.all(kinds.map((words) => list(docker, [...words, '--quiet', '--filter', label])));
  if (left.flat().length === 0) return;
  throw new DeployError({
    text: `preview: ${left.flat().length} resources of ${project} could not be removed; expected none left`,
    fix: 'run it again: airlock preview reap',
    exitCode: EXIT.broken,
  });
}
