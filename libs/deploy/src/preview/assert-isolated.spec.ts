import { describe, expect, it } from '@jest/globals';
import type { ComposeModel } from '../engine/compose-model.js';
import type { Fields } from '../engine/model-fields.js';
import { assertIsolated } from './assert-isolated.js';
import { findExpired } from './down.js';
import { createSecrets } from './preview-secrets.js';

const OWN = { project: 'pr-42', secretsDir: '/volumes/pr-42/_data', edgeNetwork: 'airlock-edge_edge' };

describe('assertIsolated', () => {
  it('accepts a preview with its own secrets, networks and volumes', () => {
    expect(() => assertIsolated(create(), OWN)).not.toThrow();
  });

  it.each<[string, Partial<ComposeModel>, string]>([
    [
      'a secret of staging',
      { secrets: { secret_key: { file: '/etc/airlock/staging/secret_key' } } },
      'secrets.secret_key: is not generated',
    ],
    ['a secret of the swarm', { secrets: { secret_key: { external: true } } }, 'secrets.secret_key: is not generated'],
    [
      'the network of another system',
      { networks: { x: { external: true, name: 'airlock-staging_backend' } } },
      'networks.x: is airlock-staging_backend',
    ],
    [
      'a network of its own by the name of another system',
      { networks: { backend: { name: 'airlock-staging_backend' } } },
      'networks.backend: is airlock-staging_backend',
    ],
    ...(
      [
        ['the volume of another system', { external: true, name: 'airlock-staging_postgres' }],
        ['its own volume with the name of another system', { name: 'airlock-staging_postgres' }],
      ] as const
    ).map(([what, volume]): [string, Partial<ComposeModel>, string] => [
      what,
      { volumes: { postgres: volume } },
      'volumes.postgres: is airlock-staging_postgres; expected a volume of this preview',
    ]),
    [
      'a volume that is a folder of the host',
      { volumes: { x: { name: 'pr-42_x', driver_opts: { type: 'none', o: 'bind', device: '/etc/airlock' } } } },
      'volumes.x: is mounted from outside the engine',
    ],
    ['a file of the host as a config', { configs: { x: { file: '/etc/airlock/x' } } }, 'configs.x: is read from'],
    ...['privileged', 'network_mode', 'pid', 'ipc', 'devices', 'cap_add', 'userns_mode'].map(
      (door): [string, Partial<ComposeModel>, string] => [
        door,
        api({ [door]: 'host' }),
        `services.api.${door}: gives access to the host`,
      ],
    ),
    ['a folder of the host', api({ volumes: [{ type: 'bind', source: '/srv' }] }), 'services.api: bind-mounts /srv'],
    ['a published port', api({ ports: [{ target: 80 }] }), 'services.api: publishes a port'],
    ['another environment', api({ environment: { ENVIRONMENT: 'staging' } }), 'ENVIRONMENT is "staging"'],
  ])('refuses %s', (_what, change, message) => {
    expect(() => assertIsolated({ ...create(), ...change }, OWN)).toThrow(message);
  });
});

describe('createSecrets', () => {
  it('never creates the same secret twice', () => {
    const values = [...Object.values(createSecrets()), ...Object.values(createSecrets())];
    expect(new Set(values).size).toBe(values.length);
  });
});

describe('findExpired', () => {
  const now = new Date('2026-11-21T12:00:00Z');
  const at = (number: number, expires: string) => ({
    number,
    expires: new Date(expires),
    project: '',
    image: '',
    url: '',
  });
  const previews = [at(1, '2026-11-21T11:59:59Z'), at(2, '2026-11-22T00:00:00Z'), at(3, '2026-11-22T00:00:00Z')];

  it('finds previews past their lifetime', () => {
    expect(findExpired(previews, undefined, now).map(({ number }) => number)).toEqual([1]);
  });

  it('finds previews of a closed pull request before the end of their lifetime', () => {
    expect(findExpired(previews, new Set([1, 3]), now).map(({ number }) => number)).toEqual([1, 2]);
  });
});

function create(): ComposeModel {
  return {
    services: { api: { environment: { ENVIRONMENT: 'preview' } }, postgres: {} },
    secrets: { secret_key: { file: `${OWN.secretsDir}/secret_key` } },
    networks: {
      edge: { external: true, name: OWN.edgeNetwork },
      backend: { internal: true, name: 'pr-42_backend' },
    },
    volumes: { postgres: { name: 'pr-42_postgres', driver_opts: { type: 'tmpfs', device: 'tmpfs' } } },
  };
}

function api(service: Fields): Partial<ComposeModel> {
  return { services: { api: service } };
}
