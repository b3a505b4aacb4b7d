import { DeployError, EXIT, toDeployError } from '../engine/deploy-error.js';
import type { Settings } from '../release/deploy-settings.js';
import { runSmoke } from '../change/smoke-run.js';
import { deployToTarget, readDigest, type HostedDeploy } from './deploy-to-target.js';
import type { TargetResult } from './target.js';

export interface HostedOptions {
  readonly target: string;
  /** name=value, as typed. */
  readonly option: readonly string[];
}

/** `airlock deploy --target NAME`: deploys by the platform's own commands, then runs the smoke suite. */
export async function runHosted(settings: Settings, image: string, { target, option }: HostedOptions): Promise<void> {
  const { environment, url, timeoutMs } = settings;
  const onProgress = (line: string) => console.error(line);
  const shared = { target, environment, url: url ?? '', options: parseOptions(option), waitMs: timeoutMs, onProgress };
  const result = await deployToTarget({ ...shared, image });
  const problem = result.ok
    ? await judgeBySmoke(result, { onProgress, goBack: (digest) => goBack({ ...shared, image }, digest) })
    : await describeFailure(result);
  if (problem) throw Object.assign(problem, { result });
  console.log(settings.json ? JSON.stringify(result) : `${environment}: ${result.digest}`);
}

function parseOptions(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const index = pair.indexOf('=');
      if (index > 0) return [pair.slice(0, index), pair.slice(index + 1)];
      const text = `--option: ${JSON.stringify(pair)} is not a pair; expected name=value`;
      throw new DeployError({ text, fix: 'see: airlock deploy --help', exitCode: EXIT.usage });
    }),
  );
}

/** If the smoke suite fails after the platform reported success, the previous digest is deployed again. */
async function judgeBySmoke(
  { url, env, digest, previousDigest }: TargetResult,
  context: { onProgress: (line: string) => void; goBack: (digest: string) => Promise<boolean> },
): Promise<DeployError | undefined> {
  try {
    await runSmoke({ url, environment: env, digest, commit: null }, context.onProgress);
    return undefined;
  } catch (cause) {
    const text = toDeployError(cause, 'smoke').message;
    const hasOther = previousDigest !== null && previousDigest !== digest;
    const isBack = hasOther && (await context.goBack(previousDigest));
    return new DeployError({
      text,
      fix: isBack
        ? `rolled back: ${previousDigest} serves again`
        : `not rolled back: ${digest} still serves; deploy a working digest`,
      exitCode: isBack ? EXIT.rolledBack : EXIT.broken,
      cause,
    });
  }
}

async function goBack(deploy: HostedDeploy, digest: string): Promise<boolean> {
  const { ok } = await deployToTarget({ ...deploy, image: `${deploy.image.split('@')[0] ?? ''}@${digest}` });
  return ok;
}

/** The platform should keep the old release when the new one fails; /version shows whether it did. */
async function describeFailure({ target, url, digest, previousDigest }: TargetResult): Promise<DeployError> {
  const serves = await readDigest(url);
  const isBack = serves !== null && serves === previousDigest;
  return new DeployError({
    text: `${target}: ${digest} does not serve ${url}; ${isBack ? `the previous digest ${serves} still serves` : `/version returns ${serves ?? 'no digest'}`}`,
    fix: `read the platform's log, and see docker/deploy/${target}/README.md`,
    exitCode: isBack ? EXIT.rolledBack : EXIT.broken,
  });
}
