import { traitsOf } from '@airlock/config';
import type { ComposeModel } from '../engine/compose-model.js';
import type { Fields } from '../engine/model-fields.js';
import { DeployError } from '../engine/deploy-error.js';

/** A preview runs code that is not reviewed yet: it must not reach anything of staging, production or the host. */
export function assertIsolated(
  model: ComposeModel,
  own: { project: string; secretsDir: string; edgeNetwork: string },
): void {
  const problems = [
    ...judgeSecrets(model, own.secretsDir),
    ...judgeNetworks(model, own),
    ...judgeVolumes(model, own.project),
    ...judgeConfigs(model),
    ...judgeServices(model),
  ];
  if (problems.length === 0) return;
  throw new DeployError({
    text: problems.join('\n'),
    fix: 'correct compose.preview.yml: a preview may use only its own secrets, networks and volumes',
  });
}

function judgeSecrets(model: ComposeModel, secretsDir: string): string[] {
  return Object.entries(model.secrets ?? {})
    .filter(([name, { file }]) => file !== `${secretsDir}/${name}`)
    .map(([name]) => `secrets.${name}: is not generated; expected the file ${name} of this preview`);
}

function judgeNetworks(
  model: ComposeModel,
  { project, edgeNetwork }: { project: string; edgeNetwork: string },
): string[] {
  return Object.entries(model.networks ?? {})
    .filter(
      ([key, network]) => network?.['name'] !== (network?.['external'] === true ? edgeNetwork : `${project}_${key}`),
    )
    .map(
      ([name, network]) =>
        `networks.${name}: is ${String(network?.['name'])}; expected a network of this preview, or ${edgeNetwork}`,
    );
}

/** A volume with another name, or one that is a folder of the host, holds data that is not the preview's. */
function judgeVolumes(model: ComposeModel, project: string): string[] {
  return Object.entries(model.volumes ?? {}).flatMap(([key, volume]) => {
    const { name, external, driver, driver_opts: options } = (volume ?? {}) as Fields & { driver_opts?: Fields };
    const isOwn = external !== true && name === `${project}_${key}`;
    const isPlain = (driver ?? 'local') === 'local' && (options === undefined || options['type'] === 'tmpfs');
    return [
      ...(isOwn ? [] : [`volumes.${key}: is ${String(name)}; expected a volume of this preview`]),
      ...(isPlain ? [] : [`volumes.${key}: is mounted from outside the engine; expected a local volume or tmpfs`]),
    ];
  });
}

/** Compose mounts the file of a config from the host. */
function judgeConfigs(model: ComposeModel): string[] {
  return Object.entries(model.configs ?? {})
    .filter(([, { content }]) => typeof content !== 'string')
    .map(([name]) => `configs.${name}: is read from the host; expected its content in the overlay`);
}

/** Keys that give access to the host, whatever their value. */
const HOST_ACCESS_KEYS = [
  'privileged',
  'network_mode',
  'pid',
  'ipc',
  'uts',
  'userns_mode',
  'devices',
  'cap_add',
  'volumes_from',
];

function judgeServices(model: ComposeModel): string[] {
  return Object.entries(model.services).flatMap(([name, service]) => [
    ...((service['volumes'] ?? []) as Fields[])
      .filter(({ type }) => type === 'bind')
      .map(({ source }) => `services.${name}: bind-mounts ${String(source)} of the host; expected a volume`),
    ...((service['ports'] ?? []) as Fields[]).map(
      () => `services.${name}: publishes a port; expected none, because only the edge publishes ports`,
    ),
    ...HOST_ACCESS_KEYS.filter((key) => service[key]).map(
      (key) => `services.${name}.${key}: gives access to the host; expected the key to be left out`,
    ),
    ...(service['environment'] ? judgeEnvironment(name, service['environment'] as Fields) : []),
  ]);
}

function judgeEnvironment(name: string, { ENVIRONMENT: said }: Fields): string[] {
  const { isDisposable, runsLocally } = traitsOf(typeof said === 'string' ? said : undefined);
  if (said === undefined || (isDisposable && !runsLocally)) return [];
  return [`services.${name}: ENVIRONMENT is ${JSON.stringify(said)}; expected "preview"`];
}
