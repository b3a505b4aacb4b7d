import { DeployError, EXIT } from '../deploy/problem.js';
import type { Settings } from '../deploy/settings.js';
import { runSmoke } from '../deploy/smoke.js';
import { deployToTarget, readDigest } from './deploy-to-target.js';
import type { TargetResult } from './target.js';

export interface HostedOptions {
  readonly target: string;
  /** name=value, as given. */
  readonly option: readonly string[];
}

/** `airlock deploy --target NAME`: the platform's way, judged and smoke-tested like our own. */
export async function runHosted(settings: Settings, image: string, { target, option }: HostedOptions): Promise<void> {
  const { environment, url, timeoutMs } = settings;
  const onProgress = (line: string) => console.error(line);
  const shared = { target, environment, url: url ?? '', options: parseOptions(option), waitMs: timeoutMs, onProgress };
  const result = await deployToTarget({ ...shared, image });
  const problem = result.ok ? await findSmokeProblem(result, onProgress) : await describeFailure(result);
  const answer = { ...result, ok: problem === undefined };
  if (problem?.exitCode === EXIT.smoke && result.previousDigest) {
    const back = await deployToTarget({ ...shared, image: image.replace(result.digest, result.previousDigest) });
    onProgress(back.ok ? `${back.digest} serves again` : `${back.digest} could not be brought back`);
  }
  console.log(settings.json ? JSON.stringify(answer) : `${environment}: ${answer.ok ? answer.digest : 'failed'}`);
  if (problem) throw problem;
}

function parseOptions(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const index = pair.indexOf('=');
      if (index > 0) return [pair.slice(0, index), pair.slice(index + 1)];
      const text = `--option: ${JSON.stringify(pair)} is no pair; expected name=value`;
      throw new DeployError({ text, mend: 'see: airlock deploy --help', exitCode: EXIT.usage });
    }),
  );
}

async function findSmokeProblem({ url, env, digest }: TargetResult, onLine: (line: string) => void) {
  try {
    await runSmoke({ url, environment: env, digest, commit: null }, onLine);
    return undefined;
  } catch (error) {
    if (error instanceof DeployError) return error;
    throw error;
  }
}

/** The platform keeps the old release when the new one fails; whether it did is looked at, not believed. */
async function describeFailure({ target, url, digest, previousDigest }: TargetResult): Promise<DeployError> {
  const serves = await readDigest(url);
  const isBack = serves !== null && serves === previousDigest;
  return new DeployError({
    text: `${target}: ${digest} does not serve ${url}; ${isBack ? 'what served before still does' : `it answers ${serves ?? 'nothing'}`}`,
    mend: `look at the platform's own log, and see docker/deploy/${target}/README.md`,
    exitCode: isBack ? EXIT.rolledBack : EXIT.broken,
  });
}
