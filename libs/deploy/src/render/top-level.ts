import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Fields } from '../engine/model-fields.js';
import type { Collect } from './render-problem.js';

type Named = Readonly<Record<string, Fields | null>>;

/** Swarm names what belongs to a stack after the stack; only what exists outside keeps its own name. */
export function renderNetworks(networks: Named, collect: Collect): Record<string, Fields> {
  return mapNamed(networks, (name, network) => {
    const { name: outerName, ipam, external, ...rest } = network;
    if (network['driver'] !== undefined && network['driver'] !== 'overlay') {
      const problem = `is a ${JSON.stringify(network['driver'])} network; expected an overlay`;
      collect([{ where: `networks.${name}`, problem }]);
    }
    if (external === true) return { external: true, name: outerName };
    return { ...rest, ...(ipam && Object.keys(ipam).length > 0 ? { ipam } : {}) };
  });
}

export function renderVolumes(volumes: Named): Record<string, Fields> {
  return mapNamed(volumes, (_name, volume) => {
    const { name: outerName, external, ...rest } = volume;
    return external === true ? { external: true, name: outerName } : rest;
  });
}

/** A secret is made beforehand, in Swarm, in versions; a file or a variable of the deployer never becomes one. */
export function renderSecrets(
  secrets: Named,
  options: { readonly secretVersions: Readonly<Record<string, string>> },
  collect: Collect,
): Record<string, Fields> {
  return mapNamed(secrets, (name, secret) => {
    if (secret['external'] !== true) {
      collect([{ where: `secrets.${name}`, problem: 'is read where the deployer runs; expected external: true' }]);
    }
    const version = options.secretVersions[name];
    if (version === undefined) collect([{ where: `secrets.${name}`, problem: 'has no version in Swarm' }]);
    return { external: true, name: version };
  });
}

/** A config cannot change in Swarm, so its name carries its content's hash. */
export function renderConfigs(configs: Named, stack: string, collect: Collect): Record<string, Fields> {
  return mapNamed(configs, (name, config) => {
    if (config['external'] === true) return { external: true, name: config['name'] };
    const content = contentOf(config);
    if (content === undefined) {
      collect([{ where: `configs.${name}`, problem: 'has neither file nor content' }]);
      return {};
    }
    const hash = createHash('sha256').update(content).digest('hex').slice(0, 12);
    return { name: `${stack}_${name}_${hash}`, 'x-content': content };
  });
}

function contentOf(config: Fields): string | undefined {
  // Compose doubles the $ of a content it prints; a file it leaves alone.
  if (typeof config['content'] === 'string') return config['content'].replaceAll('$$', '$');
  return typeof config['file'] === 'string' ? readFileSync(config['file'], 'utf8') : undefined;
}

function mapNamed(named: Named, map: (name: string, fields: Fields) => Fields): Record<string, Fields> {
  return Object.fromEntries(Object.entries(named).map(([name, fields]) => [name, map(name, fields ?? {})]));
}
