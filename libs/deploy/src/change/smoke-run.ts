import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { ChangeRequest, DeployRun } from './deploy-run.js';
import { DeployError, EXIT } from '../engine/deploy-error.js';

export interface SmokeExpectation {
  readonly url: string;
  readonly environment: string;
  readonly digest: string;
  readonly commit: string | null;
}

/** The last check of a release. Without an address it reports that the suite did not run. */
export async function confirmBySmoke({ settings, image, progress }: ChangeRequest, run: DeployRun): Promise<void> {
  const { url, environment } = settings;
  if (url === undefined) return progress.note('no --url was given, so the smoke suite did not run');
  progress.step(`smoke ${url}`);
  run.smoke = 'failed';
  await runSmoke({ url, environment, digest: image.digest, commit: run.commit }, progress.detail);
  run.smoke = 'passed';
}

const WORKSPACE = fileURLToPath(new URL('../../../../', import.meta.url));

/** Runs the read-only checks of apps/smoke through the public address, as a client does. */
export async function runSmoke(expected: SmokeExpectation, onLine: (line: string) => void): Promise<void> {
  const { url, environment, digest, commit } = expected;
  const args = ['--url', url, '--environment', environment, '--digest', digest];
  if (commit !== null) args.push('--commit', commit);
  const { status, output } = await runNode(args, onLine);
  if (status === 0) return;
  throw new DeployError({
    text: `smoke: ${output.trim().split('\n').slice(-6).join('\n  ')}`,
    fix: `run it again: nx run smoke:check --url ${url} --environment ${environment}`,
    exitCode: EXIT.broken,
  });
}

function runNode(args: readonly string[], onLine: (line: string) => void): Promise<{ status: number; output: string }> {
  const command = ['--import', './tools/typescript.mjs', 'apps/smoke/src/check/main.ts', ...args];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, command, { cwd: WORKSPACE, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const collect = (text: string) => {
      output += text;
      text.split('\n').filter(Boolean).forEach(onLine);
    };
    child.stdout.setEncoding('utf8').on('data', collect);
    child.stderr.setEncoding('utf8').on('data', collect);
    child.once('error', reject).once('close', (code) => resolve({ status: code ?? 137, output }));
  });
}
