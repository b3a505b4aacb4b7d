import type { ChangeRequest } from './deploy-run.js';
import { DeployError, toDeployError } from '../engine/deploy-error.js';
import { createProgress } from '../engine/progress.js';
import type { DeploymentRecord } from '../release/release-record.js';
import type { Settings } from '../release/deploy-settings.js';

type ChangeContext = Pick<ChangeRequest, 'settings' | 'progress' | 'signal'>;

/** Runs a change: progress on stderr, the result on stdout. Ctrl-C stops it in order and restores the old release. */
export async function runChange(
  settings: Settings,
  change: (context: ChangeContext) => Promise<DeploymentRecord>,
): Promise<void> {
  const progress = createProgress(process.stderr);
  const controller = new AbortController();
  const abort = () => controller.abort(interruption());
  process.once('SIGINT', abort).once('SIGTERM', abort);
  const known = { target: 'swarm', env: settings.environment, url: settings.url ?? null };
  try {
    const record = await change({ settings, progress, signal: controller.signal });
    progress.end(`${record.environment} serves ${record.digest}`);
    const { digest, previousDigest } = record;
    if (settings.json) console.log(JSON.stringify({ ...known, digest, previousDigest, ok: true, record }));
  } catch (cause) {
    progress.end('failed');
    const error = toDeployError(cause, 'airlock');
    error.result = { ...known, ...error.result };
    throw error;
  } finally {
    process.off('SIGINT', abort).off('SIGTERM', abort);
  }
}

function interruption(): DeployError {
  return new DeployError({ text: 'interrupted', fix: 'run it again: it continues from the current state' });
}
