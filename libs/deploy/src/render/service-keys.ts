/**
 * The keys of a Compose service, and how each is handled in a Swarm stack. `docker stack deploy` ignores some keys
 * silently and others with a one-line warning. Here every key has a decision, and an unlisted key is refused.
 */

/** Swarm supports these keys. */
export const KEPT_SERVICE_KEYS = [
  'cap_add',
  'cap_drop',
  'command',
  'configs',
  'deploy',
  'dns',
  'dns_search',
  'entrypoint',
  'environment',
  'extra_hosts',
  'healthcheck',
  'hostname',
  'image',
  'init',
  'logging',
  'networks',
  'ports',
  'read_only',
  'secrets',
  'stop_grace_period',
  'stop_signal',
  'sysctls',
  'ulimits',
  'user',
  'volumes',
  'working_dir',
] as const;

/** These keys are left out, each for the reason given. */
export const DROPPED_SERVICE_KEYS: Readonly<Record<string, string>> = {
  attach: 'controls only the output of `compose up`',
  build: 'a stack runs an image that was built once, elsewhere',
  container_name: 'a replicated service has many containers',
  depends_on:
    'Swarm starts all services at once; health checks gate the rollout, and release jobs run before the stack',
  develop: 'reloads sources, which an image does not contain',
  env_file: 'Compose has already read it into environment',
  expose: 'every port is open inside a network',
  labels: 'the proxy reads deploy.labels in Swarm',
  profiles: 'Compose has already chosen the services',
  pull_policy: 'an image by digest cannot be out of date',
  restart: 'Swarm uses deploy.restart_policy',
  scale: 'Swarm uses deploy.replicas',
};

/** Swarm ignores these keys, so they are converted to mounts (tmpfs-mounts.ts). */
export const MOUNT_KEYS: readonly string[] = ['shm_size', 'tmpfs'];

/** Dropped if `deploy.resources.limits` sets the same limit, refused if it does not. */
export const LIMIT_KEYS: Readonly<Record<string, string>> = {
  cpus: 'cpus',
  mem_limit: 'memory',
  pids_limit: 'pids',
};

/** Swarm would ignore these keys, and the service would behave differently. */
export const REFUSED_SERVICE_KEYS: Readonly<Record<string, string>> = {
  devices: 'give the node a label and constrain placement',
  ipc: 'leave it out',
  network_mode: 'join a network of the stack',
  pid: 'leave it out',
  privileged: 'name the capabilities in cap_add',
  userns_mode: 'leave it out',
  cgroup_parent: 'set deploy.resources.limits',
  links: 'use the name of the service',
};

export const KEPT_DEPLOY_KEYS = [
  'endpoint_mode',
  'labels',
  'mode',
  'placement',
  'replicas',
  'resources',
  'restart_policy',
  'rollback_config',
  'update_config',
] as const;

export const KEPT_TOP_KEYS = ['configs', 'name', 'networks', 'secrets', 'services', 'volumes'] as const;
