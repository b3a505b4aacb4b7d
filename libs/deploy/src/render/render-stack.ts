import type { ComposeModel } from '../engine/compose-model.js';
import type { Fields } from '../engine/model-fields.js';
import { DeployError } from '../engine/deploy-error.js';
import type { RenderProblem } from './render-problem.js';
import { renderService } from './render-service.js';
import { KEPT_TOP_KEYS } from './service-keys.js';
import { renderConfigs, renderNetworks, renderSecrets, renderVolumes } from './top-level.js';

export interface RenderOptions {
  /** The name of the stack: Swarm prefixes every name in the stack with it. */
  readonly stack: string;
  /** The name of the version that this release uses, for each secret of the model. */
  readonly secretVersions: Readonly<Record<string, string>>;
}

export interface Stack {
  readonly version: '3.13';
  readonly services: Record<string, Fields>;
  readonly networks: Record<string, Fields>;
  readonly volumes: Record<string, Fields>;
  readonly secrets: Record<string, Fields>;
  readonly configs: Record<string, Fields>;
}

/** Converts a Compose model to an equivalent stack. Throws with every key that Swarm does not support. */
export function renderStack(model: ComposeModel, options: RenderOptions): Stack {
  const problems: RenderProblem[] = unknownTopKeys(model);
  const collect = (found: RenderProblem[]) => problems.push(...found);
  const stack: Stack = {
    version: '3.13',
    services: Object.fromEntries(
      Object.entries(model.services).map(([name, service]) => [name, renderService(name, service, collect)]),
    ),
    networks: renderNetworks(model.networks ?? {}, collect),
    volumes: renderVolumes(model.volumes ?? {}),
    secrets: renderSecrets(model.secrets ?? {}, options, collect),
    configs: renderConfigs(model.configs ?? {}, options.stack, collect),
  };
  if (problems.length === 0) return stack;
  throw new DeployError({
    text: problems.map(({ where, problem }) => `${where}: ${problem}`).join('\n'),
    fix: 'correct the overlay, then check the result: airlock deploy ENV IMAGE --render',
  });
}

function unknownTopKeys(model: ComposeModel): RenderProblem[] {
  const known: readonly string[] = KEPT_TOP_KEYS;
  return Object.keys(model)
    .filter((key) => !known.includes(key) && !key.startsWith('x-'))
    .map((key) => ({ where: key, problem: 'Swarm does not support this key; expected one of ' + known.join(', ') }));
}
