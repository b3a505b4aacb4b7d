import { describe, expect, it } from '@jest/globals';
import type { ComposeModel } from '../engine/compose-model.js';
import type { Fields } from '../engine/model-fields.js';
import { renderStack } from './render-stack.js';
import { DROPPED_SERVICE_KEYS, REFUSED_SERVICE_KEYS } from './service-keys.js';

const OPTIONS = { stack: 'airlock-staging', secretVersions: { database_url: 'airlock-staging_database_url_v3' } };

describe('renderStack', () => {
  it.each(Object.keys(DROPPED_SERVICE_KEYS))('leaves out %s', (key) => {
    expect(renderService({ [key]: ['anything'] })).toEqual({ image: 'a:1' });
  });

  it.each(Object.keys(REFUSED_SERVICE_KEYS))('refuses %s, which Swarm would ignore', (key) => {
    expect(() => renderService({ [key]: 'anything' })).toThrow(`services.api.${key}: Swarm ignores this key; instead,`);
  });

  it('refuses a key that has no decision yet', () => {
    expect(() => renderService({ gpus: 'all' })).toThrow(
      'services.api.gpus: Swarm ignores this key; instead, leave it out, or add the key to libs/deploy/src/render/service-keys.ts',
    );
  });

  it('refuses an unknown key at the top and accepts x- keys', () => {
    expect(() => renderStack({ services: {}, 'x-common': {}, models: {} }, OPTIONS)).toThrow(
      'models: Swarm does not support this key',
    );
  });

  it('lists every problem at once', () => {
    expect(() => renderService({ privileged: true, network_mode: 'host' })).toThrow(
      /services\.api\.privileged: .*\nservices\.api\.network_mode: /,
    );
  });

  it('turns a published port into a number and cpus into text', () => {
    const service = renderService({
      ports: [{ mode: 'host', target: 443, published: '443', protocol: 'tcp' }],
      deploy: { resources: { limits: { cpus: 0.5, memory: '1024' } }, placement: {} },
    });
    expect(service['ports']).toEqual([{ mode: 'host', target: 443, published: 443, protocol: 'tcp' }]);
    expect(service['deploy']).toEqual({ resources: { limits: { cpus: '0.5', memory: '1024' } }, placement: {} });
  });

  it.each([
    [
      'a port on one address',
      { ports: [{ target: 80, published: '80', host_ip: '127.0.0.1' }] },
      'Swarm publishes on every address',
    ],
    ['a range of ports', { ports: [{ target: 80, published: '80-81' }] }, '"80-81" is not a port'],
    [
      'a bind mount',
      { volumes: [{ type: 'bind', source: '/srv', target: '/srv' }] },
      'bind-mounts /srv of the node that the task runs on',
    ],
    [
      'the engine socket, writable',
      { volumes: [{ type: 'bind', source: '/var/run/docker.sock', target: '/s' }] },
      'bind-mounts /var/run/docker.sock',
    ],
    ['a security option that matters', { security_opt: ['seccomp:unconfined'] }, 'Swarm ignores seccomp:unconfined'],
    ['a limit in the wrong place', { mem_limit: '1g' }, 'expected deploy.resources.limits.memory'],
    [
      'a mode that Swarm cannot mount',
      { tmpfs: ['/x:mode=0700'] },
      'Swarm does not support the mount option mode=0700',
    ],
    ['an unknown deploy key', { deploy: { magic: 1 } }, 'services.api.deploy.magic: Swarm does not support this key'],
  ])('refuses %s', (_what, service: Fields, message) => {
    expect(() => renderService(service)).toThrow(message);
  });

  it('leaves out a variable without a value, which Swarm would read from the deployer', () => {
    expect(renderService({ environment: { TOKEN: null, HOST: '0.0.0.0' } })['environment']).toEqual({
      HOST: '0.0.0.0',
    });
  });

  it('accepts a limit that deploy repeats, no-new-privileges, and the engine socket read-only', () => {
    const socket = { type: 'bind', source: '/var/run/docker.sock', target: '/s', read_only: true };
    const service = renderService({
      pids_limit: 64,
      security_opt: ['no-new-privileges:true'],
      volumes: [{ ...socket, bind: { create_host_path: true } }],
      deploy: { resources: { limits: { pids: 64 } } },
    });
    expect(service).toEqual({ image: 'a:1', volumes: [socket], deploy: { resources: { limits: { pids: 64 } } } });
  });

  it('converts tmpfs and shared memory, which Swarm would ignore, to mounts', () => {
    expect(renderService({ tmpfs: ['/tmp', '/run:size=64m,mode=1777'], shm_size: '134217728' })).toEqual({
      image: 'a:1',
      volumes: [
        { type: 'tmpfs', target: '/tmp' },
        { type: 'tmpfs', target: '/run', tmpfs: { size: 67_108_864 } },
        { type: 'tmpfs', target: '/dev/shm', tmpfs: { size: 134_217_728 } },
      ],
    });
  });

  it('names each secret by its version and reads modes as octal', () => {
    const stack = renderStack(
      {
        services: { api: { image: 'a:1', secrets: [{ source: 'database_url', mode: '0400' }] } },
        secrets: { database_url: { name: 'database_url', external: true } },
      },
      OPTIONS,
    );
    expect(stack.secrets).toEqual({ database_url: { external: true, name: 'airlock-staging_database_url_v3' } });
    expect(stack.services['api']).toEqual({ image: 'a:1', secrets: [{ source: 'database_url', mode: 0o400 }] });
  });

  it('refuses a secret that comes from the deployer, and one without a version', () => {
    const secrets = { secret_key: { file: '/home/ana/key' } };
    expect(() => renderStack({ services: {}, secrets }, OPTIONS)).toThrow(
      'secrets.secret_key: is read on the machine of the deployer; expected external: true\nsecrets.secret_key: has no version in Swarm; expected one, see: airlock secret put --help',
    );
  });

  it('names a config by its content, so that a new content is a new config', () => {
    const name = (content: string) =>
      renderStack({ services: {}, configs: { rules: { content } } }, OPTIONS).configs['rules'];
    expect(name('one')?.['name']).toMatch(/^airlock-staging_rules_[0-9a-f]{12}$/);
    expect(name('one')?.['name']).not.toBe(name('two')?.['name']);
    expect(name('a$$b')?.['x-content']).toBe('a$b');
  });

  it('keeps networks and volumes inside the stack, except external ones', () => {
    const model: ComposeModel = {
      services: {},
      networks: {
        backend: { name: 'project_backend', ipam: {}, internal: true },
        edge: { name: 'edge', external: true },
      },
      volumes: { data: { name: 'project_data' } },
    };
    expect(renderStack(model, OPTIONS)).toMatchObject({
      networks: { backend: { internal: true }, edge: { external: true, name: 'edge' } },
      volumes: { data: {} },
    });
  });

  it('refuses a network that is limited to one host', () => {
    expect(() => renderStack({ services: {}, networks: { edge: { driver: 'bridge' } } }, OPTIONS)).toThrow(
      'networks.edge: is a "bridge" network; expected an overlay',
    );
  });
});

function renderService(service: Fields): Fields {
  return renderStack({ services: { api: { image: 'a:1', command: null, ...service } } }, OPTIONS).services['api'] ?? {};
}
