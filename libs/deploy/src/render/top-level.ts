import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Fields } from '../engine/model-fields.js';
import type { Collect } from './render-problem.js';

type Named = Readonly<Record<string, Fields | null>>;

/** Swarm prefixes names with the name of the stack; only external networks keep their own name. */
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

/** Secrets are created in Swarm before the deploy, in versions. Files and variables of the deployer are never used. */
export function renderSecrets(
  secrets: Named,
  options: { readonly secretVersions: Readonly<Record<string, string>> },
  collect: Collect,
): Record<string, Fields> {
  return mapNamed(secrets, (name, secret) => {
    if (secret['external'] !== true) {
      collect([
        { where: `secrets.${name}`, problem: 'is read on the machine of the deployer; expected external: true' },
      ]);
    }
    const version = options.secretVersions[name];
    if (version === undefined)
      collect([
        { where: `secrets.${name}`, problem: 'has no version in Swarm; expected one, see: airlock secret put --help' },
      ]);
    return { external: true, name: version };
  });
}

/** A config cannot change in Swarm, so its name contains the hash of its content. */
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
  // Compose prints every $ of inline content twice, but does not change a file.
  if (typeof config['content'] === 'string') return config['content'].replaceAll('$$', '$');
  return typeof config['file'] === 'string' ? readFileSync(config['file'], 'utf8') : undefined;
}

function mapNamed(named: Named, map: (name: string, fields: Fields) => Fields): Record<string, Fields> {
  return Object.fromEntries(Object.entries(named).map(([name, fields]) => [name, map(name, fields ?? {})]));
}
