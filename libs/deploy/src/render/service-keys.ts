/**
 * What a Compose service may say, and what becomes of it in a Swarm stack. `docker stack deploy` ignores some keys in
 * silence and others with one line of warning; here each key has a decision, and a key without one is refused.
 */

/** Swarm does what these say. */
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

/** Left out, each with the reason why nothing is lost. */
export const DROPPED_SERVICE_KEYS: Readonly<Record<string, string>> = {
  attach: 'says what `compose up` prints',
  build: 'a stack runs an image that was built once, elsewhere',
  container_name: 'a replicated service has many containers',
  depends_on: 'Swarm starts everything at once; health checks gate, and release jobs are run before the stack',
  develop: 'reloads sources, which an image does not hold',
  env_file: 'Compose has already read it into environment',
  expose: 'every port is open inside a network',
  labels: 'the proxy reads deploy.labels in Swarm',
  profiles: 'Compose has already chosen the services',
  pull_policy: 'an image by digest cannot be out of date',
  restart: 'deploy.restart_policy rules in Swarm',
  scale: 'deploy.replicas rules in Swarm',
};

/** Swarm ignores these, but not a mount that does the same (tmpfs-mounts.ts). */
export const MOUNT_KEYS: readonly string[] = ['shm_size', 'tmpfs'];

/** Said twice by Compose; dropped when `deploy.resources.limits` says the same, refused when it says nothing. */
export const LIMIT_KEYS: Readonly<Record<string, string>> = {
  cpus: 'cpus',
  mem_limit: 'memory',
  pids_limit: 'pids',
};

/** Swarm would ignore these and the service would run with another meaning. */
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
