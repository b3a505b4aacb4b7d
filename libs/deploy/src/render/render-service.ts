import { omit, type Fields } from '../engine/model-fields.js';
import {
  DROPPED_SERVICE_KEYS,
  KEPT_DEPLOY_KEYS,
  KEPT_SERVICE_KEYS,
  LIMIT_KEYS,
  MOUNT_KEYS,
  REFUSED_SERVICE_KEYS,
} from './service-keys.js';
import type { Collect, RenderProblem } from './render-problem.js';
import { createTmpfsMounts } from './tmpfs-mounts.js';

const NO_NEW_PRIVILEGES = /^no-new-privileges(?::true)?$/;
const DOCKER_SOCKET = '/var/run/docker.sock';

export function renderService(name: string, service: Fields, collect: Collect): Fields {
  const where = `services.${name}`;
  const said = Object.fromEntries(Object.entries(service).filter(([key, value]) => isSaid(key, value)));
  collect(Object.keys(said).flatMap((key) => judgeKey(where, key, said)));
  const { mounts, problems } = createTmpfsMounts(where, said);
  collect(problems);
  const kept = Object.fromEntries(Object.entries(said).filter(([key]) => isOneOf(KEPT_SERVICE_KEYS, key)));
  return {
    ...kept,
    ...mapKey(kept, 'environment', (value) => renderEnvironment(value as Fields)),
    ...mapKey(kept, 'ports', (value) => (value as Fields[]).map((port) => renderPort(where, port, collect))),
    ...renderMounts(where, (kept['volumes'] ?? []) as Fields[], mounts, collect),
    ...mapKey(kept, 'secrets', (value) => (value as Fields[]).map(withNumericMode)),
    ...mapKey(kept, 'configs', (value) => (value as Fields[]).map(withNumericMode)),
    ...mapKey(kept, 'deploy', (value) => renderDeploy(where, value as Fields, collect)),
  };
}

function isSaid(key: string, value: unknown): boolean {
  const isFalse = value === false && (key === 'privileged' || key === 'attach');
  return value !== null && !isFalse && !key.startsWith('x-');
}

function judgeKey(where: string, key: string, service: Fields): RenderProblem[] {
  if (isOneOf([...KEPT_SERVICE_KEYS, ...MOUNT_KEYS], key) || key in DROPPED_SERVICE_KEYS) return [];
  if (key === 'security_opt') return judgeSecurity(where, service[key] as string[]);
  if (key in LIMIT_KEYS) return judgeLimit(where, key, service);
  const instead = REFUSED_SERVICE_KEYS[key] ?? 'leave it out, or add the key to libs/deploy/src/render/service-keys.ts';
  return [{ where: `${where}.${key}`, problem: `Swarm ignores this key; instead, ${instead}` }];
}

/** Swarm has no security options. The engine's default must forbid new privileges, and each deploy checks it. */
function judgeSecurity(where: string, options: readonly string[]): RenderProblem[] {
  return options
    .filter((option) => !NO_NEW_PRIVILEGES.test(option))
    .map((option) => ({
      where: `${where}.security_opt`,
      problem: `Swarm ignores ${option}; expected no-new-privileges:true only`,
    }));
}

function judgeLimit(where: string, key: string, service: Fields): RenderProblem[] {
  const limit = LIMIT_KEYS[key] ?? '';
  const { deploy } = service as { deploy?: { resources?: { limits?: Fields } } };
  if (deploy?.resources?.limits?.[limit] !== undefined) return [];
  return [{ where: `${where}.${key}`, problem: `Swarm ignores this key; expected deploy.resources.limits.${limit}` }];
}

/** Null is a variable that no file sets. It is left out, because Swarm would read it from the deployer's shell. */
function renderEnvironment(environment: Fields): Fields {
  return Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== null));
}

function renderPort(where: string, port: Fields, collect: Collect): Fields {
  const { host_ip: hostIp, published } = port as { host_ip?: string; published?: string };
  const rest = omit(port, 'host_ip', 'published', 'name', 'app_protocol');
  if (hostIp !== undefined) {
    const problem = `Swarm publishes on every address, not only on ${hostIp}; expected no address`;
    collect([{ where: `${where}.ports`, problem }]);
  }
  if (published === undefined) return rest;
  const number = Number(published);
  if (!Number.isInteger(number)) {
    collect([{ where: `${where}.ports`, problem: `${JSON.stringify(published)} is not a port; expected one number` }]);
  }
  return { ...rest, published: number };
}

function renderMounts(where: string, volumes: readonly Fields[], tmpfs: readonly Fields[], collect: Collect): Fields {
  const mounts = [...volumes.map((mount) => renderMount(where, mount, collect)), ...tmpfs];
  return mounts.length > 0 ? { volumes: mounts } : {};
}

function renderMount(where: string, mount: Fields, collect: Collect): Fields {
  if (mount['type'] === 'bind' && !(mount['source'] === DOCKER_SOCKET && mount['read_only'] === true)) {
    const problem = `bind-mounts ${String(mount['source'])} of the node that the task runs on; expected a volume, config or secret`;
    collect([{ where: `${where}.volumes`, problem }]);
  }
  const { tmpfs, volume } = mount as { tmpfs?: Fields; volume?: Fields };
  return {
    ...omit(mount, 'bind', 'tmpfs', 'volume'),
    ...(volume && Object.keys(volume).length > 0 ? { volume } : {}),
    ...(tmpfs?.['size'] === undefined ? {} : { tmpfs: { size: Number(tmpfs['size']) } }),
  };
}

/** Compose writes modes as octal text; Swarm requires a number. */
function withNumericMode(mount: Fields): Fields {
  return typeof mount['mode'] === 'string' ? { ...mount, mode: Number.parseInt(mount['mode'], 8) } : mount;
}

function renderDeploy(where: string, deploy: Fields, collect: Collect): Fields {
  const unknown = Object.keys(deploy).filter((key) => !isOneOf(KEPT_DEPLOY_KEYS, key) && !key.startsWith('x-'));
  collect(unknown.map((key) => ({ where: `${where}.deploy.${key}`, problem: 'Swarm does not support this key' })));
  const resources = deploy['resources'] as Record<string, Fields> | undefined;
  return {
    ...deploy,
    ...(resources && {
      resources: Object.fromEntries(Object.entries(resources).map(([kind, value]) => [kind, withTextCpus(value)])),
    }),
  };
}

function withTextCpus(limits: Fields): Fields {
  return typeof limits['cpus'] === 'number' ? { ...limits, cpus: String(limits['cpus']) } : limits;
}

function mapKey(service: Fields, key: string, map: (value: unknown) => unknown): Fields {
  return key in service ? { [key]: map(service[key]) } : {};
}

function isOneOf(keys: readonly string[], key: string): boolean {
  return keys.includes(key);
}
