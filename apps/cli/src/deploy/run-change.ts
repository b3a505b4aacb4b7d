import type { ChangeRequest } from './course.js';
import { createProgress } from './progress.js';
import type { DeploymentRecord } from './record.js';
import type { Settings } from './settings.js';

type Scene = Pick<ChangeRequest, 'settings' | 'progress' | 'signal'>;

/** Runs a change with progress on stderr and its result on stdout; Ctrl-C ends it in order, back on the old release. */
export async function runChange(
  settings: Settings,
  change: (scene: Scene) => Promise<DeploymentRecord>,
): Promise<void> {
  const progress = createProgress(process.stderr);
  const controller = new AbortController();
  const abort = () => controller.abort(new Error('interrupted'));
  process.once('SIGINT', abort).once('SIGTERM', abort);
  try {
    const record = await change({ settings, progress, signal: controller.signal });
    progress.end(`${record.environment} serves ${record.digest}`);
    if (settings.json) console.log(JSON.stringify(toResult(record, settings)));
  } catch (error) {
    progress.end('failed');
    if (settings.json) console.log(JSON.stringify(toFailure(error, settings)));
    throw error;
  } finally {
    process.off('SIGINT', abort).off('SIGTERM', abort);
  }
}

/** The answer that every target gives, with our record. */
function toResult(record: DeploymentRecord, { url }: Settings) {
  const { environment, digest, previousDigest } = record;
  return { target: 'swarm', env: environment, digest, previousDigest, url: url ?? null, ok: true, record };
}

function toFailure(error: unknown, { environment, url }: Settings) {
  const reason = error instanceof Error ? error.message : 'unknown';
  return { target: 'swarm', env: environment, url: url ?? null, ok: false, reason };
}
