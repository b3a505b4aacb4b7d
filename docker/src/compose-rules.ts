/**
 * The rules for each environment's rendered model: C1 to C12 in one table. `scope` lists the environments of a rule.
 * The file is long because of this table.
 */
import { isDeepStrictEqual } from 'node:util';
import { CLOSED, findMissingProxies, findOpenNetworks, WITH_PROXY } from './closed-networks.js';
import {
  HOSTED,
  OVERLAYS,
  type OverlayModel,
  type Overlay,
  type Part,
  type Service,
  LOCAL,
} from './compose-overlays.js';
import { traitsOf } from '@airlock/config';
import type { Breach } from './locate.js';

export interface ComposeRule {
  readonly id: string;
  readonly title: string;
  readonly scope: readonly Overlay[];
  readonly check: (model: OverlayModel, overlay: Overlay) => readonly Breach[];
}

const SOCKET = '/var/run/docker.sock';

/** The allowed exceptions, with their reasons. */
const exceptions: readonly { readonly name: string; readonly rule: string; readonly reason: string }[] = [
  {
    name: 'SENTRY_DSN',
    rule: 'C7.files',
    reason: 'its holder can only report errors, not read them; a secret file that may be missing cannot be mounted',
  },
  ...['CONNECTION_PROVIDERS', 'CONNECTION_KEYS'].map((name) => ({
    name,
    rule: 'C7.files',
    reason: 'most teams have none; a secret file that may be missing cannot be mounted',
  })),
  {
    name: 'SMTP_URL',
    rule: 'C7.files',
    reason: 'of a mail catcher, which has no password; a mail server is given as SMTP_URL_FILE (docs/mail.md)',
  },
  { name: 'traefik', rule: 'C1.user', reason: 'root without capabilities, to write the volume of certificates' },
  { name: 'edge', rule: 'C9.preview', reason: 'previews share the Traefik of their host, which owns the network' },
];
const isExcepted = (name: string, rule: string) =>
  exceptions.some((entry) => entry.name === name && entry.rule === rule);

/** Keys of a service that give access to the host or another container, with the values that do. */
const DOORS: Readonly<Record<string, RegExp>> = {
  privileged: /true/,
  network_mode: /host|container:|service:/,
  pid: /./,
  ipc: /host|container:|service:/,
  uts: /./,
  userns_mode: /./,
  cgroup: /host/,
  cgroup_parent: /./,
  devices: /./,
  device_cgroup_rules: /./,
  group_add: /./,
  sysctls: /./,
  volumes_from: /./,
  use_api_socket: /true/,
};

/** An address with a password in it. */
const CREDENTIALS = /:\/\/[^/\s:@]*:[^/\s@]+@/;

export const composeRules: readonly ComposeRule[] = [
  hardening('C1.read_only', 'root file system is read-only', 'read_only', (s) => s.read_only === true),
  hardening('C1.cap_drop', 'all capabilities dropped', 'cap_drop', (s) => s.cap_drop?.includes('ALL') === true),
  hardening('C1.cap_add', 'no capability added', 'cap_add', (s) => !s.cap_add?.length),
  hardening('C1.security_opt', 'no new privileges, and no profile disabled', 'security_opt', (s) =>
    isDeepStrictEqual(s.security_opt, ['no-new-privileges:true']),
  ),
  hardening('C1.init', 'an init reaps and forwards signals', 'init', (s) => s.init === true),
  hardening('C1.user', 'a user and group other than root', 'user', (s) =>
    Boolean(s.user?.split(':').every((id) => !/^(root|[+-]?0*)$/.test(id))),
  ),
  hardening('C1.limits', 'limits for memory, cpus and pids', 'deploy', (s) => {
    const { memory, cpus, pids } = s.deploy?.resources?.limits ?? {};
    return [memory, cpus, pids].every((limit) => Number(limit) > 0);
  }),
  hardening('C1.logging', 'logs that rotate', 'logging', (s) =>
    Boolean(s.logging?.options?.['max-size'] && s.logging.options['max-file']),
  ),
  {
    id: 'C3.host',
    title: 'no access to the host: privileges, devices, foreign namespaces',
    scope: OVERLAYS,
    check: eachService((service) =>
      Object.entries(service)
        .filter(([key, value]) => DOORS[key]?.test(JSON.stringify(value)))
        .map(([key, value]) => breach(key, `is ${JSON.stringify(value)}; expected it to be left out`)),
    ),
  },
  {
    id: 'C3.mounts',
    title: 'no folder or file of the host, except the engine socket in its proxy',
    scope: HOSTED,
    check: (model) => [
      ...eachService((service, name) =>
        binds(service)
          .filter((bind) => !(name === 'socket-proxy' && bind.source === SOCKET && bind.read_only))
          .map((bind) =>
            breach('volumes', `mounts ${bind.source} of the host; expected a named volume, secret or config`),
          ),
      )(model),
      ...volumesOf(model)
        .filter(([, { driver_opts: options }]) => options && options['type'] !== 'tmpfs')
        .map(([name, { driver_opts: options }]) => ({
          path: ['volumes', name, 'driver_opts'],
          problem: `mounts ${options?.['device'] ?? 'something'} of the host; expected a volume of the engine, or a tmpfs`,
        })),
      ...Object.entries(model.configs ?? {})
        .filter(([, { file }]) => file !== undefined && file !== `${model.root}/docker/traefik/tls.yml`)
        .map(([name, { file }]) => ({
          path: ['configs', name, 'file'],
          problem: `reads ${file}; expected docker/traefik/tls.yml`,
        })),
    ],
  },
  {
    id: 'C3.data',
    title: 'only the database writes its data',
    scope: HOSTED,
    check: eachService((service, name) =>
      (service.volumes ?? [])
        .filter((volume) => name !== 'postgres' && volume.source === 'postgres' && !volume.read_only)
        .map(() => breach('volumes', 'mounts the data of the database writable; expected :ro')),
    ),
  },
  {
    id: 'C3.socket',
    title: 'the service with the engine socket is on an internal network with the edge only',
    scope: HOSTED,
    check: (model) =>
      socketHolders(model).flatMap(([name, service]) =>
        Object.keys(service.networks ?? {}).flatMap((network) => {
          const others = membersOf(model, network).filter((member) => member !== name && member !== 'traefik');
          const problem = model.networks?.[network]?.internal
            ? others.length > 0 && `is on ${network} with ${others.join(', ')}; expected only the edge`
            : `joins ${network}, which is not internal; expected its own network with the edge`;
          return problem ? [{ path: ['services', name, 'networks'], problem }] : [];
        }),
      ),
  },
  {
    id: 'C3.sources',
    title: 'bind mounts are read-only and inside the checkout',
    scope: LOCAL,
    check: (model) =>
      eachService((service) =>
        binds(service)
          .filter((bind) => !bind.read_only || !bind.source?.startsWith(`${model.root}/`))
          .map((bind) =>
            breach('volumes', `mounts ${bind.source}, writable or outside the checkout; expected ./folder and :ro`),
          ),
      )(model),
  },
  {
    id: 'C4.loopback',
    title: 'ports are published on this machine only',
    scope: LOCAL,
    check: eachService((service) =>
      (service.ports ?? [])
        .filter((port) => port.host_ip !== '127.0.0.1')
        .map((port) =>
          breach('ports', `publishes ${port.target} on ${port.host_ip ?? 'every address'}; expected 127.0.0.1`),
        ),
    ),
  },
  {
    id: 'C4.edge',
    title: 'no published ports except 80 and 443 of the edge',
    scope: HOSTED,
    check: eachService((service, name) =>
      (service.ports ?? [])
        .filter((port) => name !== 'traefik' || ![80, 443].includes(port.target))
        .map((port) => breach('ports', `publishes ${port.target}; expected only the edge to publish, 80 and 443`)),
    ),
  },
  {
    id: 'C5.digest',
    title: 'images by digest, nothing built',
    scope: HOSTED,
    check: eachService((service) => [
      ...(/@sha256:[0-9a-f]{64}$/.test(service.image ?? '')
        ? []
        : [breach('image', `is ${service.image ?? 'not set'}; expected repository@sha256:…`)]),
      ...(service.build ? [breach('build', 'builds; expected an image that was built once')] : []),
    ]),
  },
  {
    id: 'C5.tag',
    title: 'images by an exact tag',
    scope: LOCAL,
    check: eachService((service) =>
      service.build || service.pull_policy === 'never' || /:(?!latest(@|$))[^/]+$/.test(service.image ?? '')
        ? []
        : [breach('image', `is ${service.image ?? 'not set'}; expected a tag other than latest`)],
    ),
  },
  {
    id: 'C7.files',
    title: 'secrets are files, and each named file is mounted',
    scope: HOSTED,
    check: eachService((service) =>
      Object.entries(service.environment ?? {}).flatMap(([name, value]) => {
        if (isExcepted(name, 'C7.files')) return [];
        if (isSecretName(name) || CREDENTIALS.test(value ?? ''))
          return [breach(`environment.${name}`, `contains a secret; expected ${name}_FILE`)];
        const file = name.endsWith('_FILE') ? /^\/run\/secrets\/(.+)$/.exec(value ?? '')?.[1] : undefined;
        const mounted = (service.secrets ?? []).map((secret) => secret.source);
        return file && !mounted.includes(file)
          ? [breach(`environment.${name}`, `names the secret ${file}; expected it under secrets`)]
          : [];
      }),
    ),
  },
  {
    id: 'C7.command',
    title: 'no password in a command, because every process list shows it',
    scope: HOSTED,
    check: eachService((service) =>
      (service.command ?? []).some((word) => CREDENTIALS.test(word) || /^--(requirepass|password)/.test(word))
        ? [breach('command', 'contains a password; expected a file under secrets')]
        : [],
    ),
  },
  {
    id: 'C7.admin',
    title: 'only provisioning and backups get the administrator, only release commands get the migrator',
    scope: OVERLAYS,
    check: eachService((service, name) =>
      Object.keys(service.environment ?? {})
        .filter((key) => /^DATABASE_ADMIN_URL/.test(key) && !['provision', 'backup', 'tests'].includes(name))
        .concat(
          Object.keys(service.environment ?? {}).filter(
            (key) => /^DATABASE_MIGRATION_URL/.test(key) && !['provision', 'migrate', 'tests'].includes(name),
          ),
        )
        .map((key) => breach(`environment.${key}`, `is passed to ${name}; expected it to be left out`)),
    ),
  },
  {
    id: 'C8.internal',
    title: 'databases are on internal networks only',
    scope: HOSTED,
    check: (model) =>
      dataServices(model).flatMap(([name, service]) =>
        Object.keys(service.networks ?? {})
          .filter((network) => !model.networks?.[network]?.internal)
          .map((network) => ({
            path: ['services', name, 'networks'],
            problem: `joins ${network}, which is not internal; expected only backend`,
          })),
      ),
  },
  {
    id: 'C8.apart',
    title: 'the edge and the databases share no network',
    scope: OVERLAYS,
    check: (model) =>
      dataServices(model).flatMap(([name, service]) =>
        Object.keys(model.services['traefik']?.networks ?? {})
          .filter((network) => network in (service.networks ?? {}))
          .map((network) => ({
            path: ['services', name, 'networks'],
            problem: `shares ${network} with the edge; expected none`,
          })),
      ),
  },
  {
    id: 'C8.closed',
    title: 'no way out but the proxy, where the environment may not reach any host',
    scope: CLOSED,
    check: findOpenNetworks,
  },
  {
    id: 'C8.proxy',
    title: 'each program is told where the proxy is',
    scope: WITH_PROXY,
    check: findMissingProxies,
  },
  {
    id: 'C9.names',
    title: 'containers, networks and volumes are named after the project',
    scope: OVERLAYS,
    check: (model, overlay) => [
      ...eachService((service) =>
        service.container_name
          ? [breach('container_name', `is ${service.container_name}; expected it to be left out`)]
          : [],
      )(model),
      ...(['networks', 'volumes'] as const).flatMap((kind) =>
        Object.entries<Part>(model[kind] ?? {})
          .filter(([key, entry]) => entry.name !== `${model.name}_${key}` && !isExcepted(key, `C9.${overlay}`))
          .map(([key, entry]) => ({
            path: [kind, key, entry.external ? 'external' : 'name'],
            problem: `is ${entry.name} in every project; expected a name with the project`,
          })),
      ),
    ],
  },
  {
    id: 'C10.edge',
    title: 'the edge has no dashboard, uses only its own routers and keeps its certificates',
    scope: HOSTED.filter((overlay) => overlay === 'edge' || !traitsOf(overlay.replace(/-swarm$/, '')).isDisposable),
    check: edgeBreaches,
  },
  {
    id: 'C12.profiles',
    title: 'a service that depends on a profile does not require it',
    scope: OVERLAYS,
    check: (model) =>
      Object.entries(model.services).flatMap(([name, service]) =>
        Object.entries(service.depends_on ?? {})
          .filter(([other, { required }]) => model.services[other]?.profiles && !service.profiles && required !== false)
          .map(([other]) => ({
            path: ['services', name, 'depends_on', other],
            problem: `requires ${other}, which is off without its profile; expected required: false`,
          })),
      ),
  },
];

/** A rule on one key of every service, with the exceptions above. */
function hardening(id: string, title: string, key: string, holds: (service: Service) => boolean): ComposeRule {
  const check = eachService((service, name) =>
    holds(service) || isExcepted(name, id) ? [] : [breach(key, `does not hold; expected ${title}`)],
  );
  return { id, title, scope: OVERLAYS, check };
}

function eachService(check: (service: Service, name: string) => readonly Breach[]) {
  return (model: OverlayModel): readonly Breach[] =>
    Object.entries(model.services).flatMap(([name, service]) =>
      check(service, name).map(({ path, problem }) => ({ path: ['services', name, ...path], problem })),
    );
}

function breach(key: string, problem: string): Breach {
  return { path: key.split('.'), problem };
}

function binds(service: Service) {
  return (service.volumes ?? []).filter((volume) => volume.type === 'bind');
}

function volumesOf(model: OverlayModel) {
  return Object.entries(model.volumes ?? {});
}

function socketHolders(model: OverlayModel): [string, Service][] {
  return Object.entries(model.services).filter(([, service]) => binds(service).some(({ source }) => source === SOCKET));
}

function membersOf(model: OverlayModel, network: string): string[] {
  return Object.entries(model.services).flatMap(([name, { networks }]) => (network in (networks ?? {}) ? [name] : []));
}

function dataServices(model: OverlayModel): [string, Service][] {
  return Object.entries(model.services).filter(([name]) => name === 'postgres' || name === 'redis');
}

function isSecretName(name: string): boolean {
  return /(PASSWORD|SECRET|TOKEN|_KEY|DSN|^DATABASE_.*URL|^(REDIS|SMTP)_URL)$/.test(name);
}

function edgeBreaches(model: OverlayModel, overlay: Overlay): Breach[] {
  const edge = model.services['traefik'];
  const settings = edge?.environment ?? {};
  const acme = 'TRAEFIK_CERTIFICATESRESOLVERS_LETSENCRYPT_ACME';
  const authority = `https://acme${isUntrusted(overlay) ? '-staging' : ''}-v02.api.letsencrypt.org/directory`;
  const provider = `TRAEFIK_PROVIDERS_${overlay.endsWith('-swarm') ? 'SWARM' : 'DOCKER'}`;
  const network = `${model.name}_edge`;
  const wanted: Record<string, string> = {
    [`${provider}_EXPOSEDBYDEFAULT`]: 'false',
    [`${provider}_ENDPOINT`]: 'tcp://socket-proxy:2375',
    [`${provider}_NETWORK`]: network,
    [`${provider}_CONSTRAINTS`]: `Label(\`${ownLabel(overlay)}\`, \`${overlay === 'edge' ? network : model.name}\`)`,
    TRAEFIK_API: 'false',
    TRAEFIK_PROVIDERS_FILE_FILENAME: '/etc/traefik/tls.yml',
    [`${acme}_CASERVER`]: authority,
    [`${acme}_STORAGE`]: '/acme/acme.json',
  };
  const wrong = Object.entries(wanted).filter(([name, value]) => settings[name] !== value);
  const opened = Object.keys(settings).filter((name) => /^TRAEFIK_API_|INSECURE/.test(name));
  const stored = edge?.volumes?.some((volume) => volume.type === 'volume' && volume.target === '/acme');
  const at = (...keys: string[]) => ['services', 'traefik', ...keys];
  return [
    ...wrong.map(([name, value]) => ({
      path: at('environment', name),
      problem: `is ${settings[name] ?? 'not set'}; expected ${value}`,
    })),
    ...opened.map((name) => ({ path: at('environment', name), problem: 'is set; expected it to be left out' })),
    ...(edge?.command
      ? [{ path: at('command'), problem: 'is set besides the environment; expected it to be left out' }]
      : []),
    ...(stored ? [] : [{ path: at('volumes'), problem: 'has no /acme; expected a named volume' }]),
  ];
}

/** The label that distinguishes services of this edge from those of another on the same engine. */
/** The edge of the previews, and every environment that takes builds, use certificates that no browser trusts. */
function isUntrusted(overlay: Overlay): boolean {
  return overlay === 'edge' || traitsOf(overlay.replace(/-swarm$/, '')).takesBuilds;
}

function ownLabel(overlay: Overlay): string {
  if (overlay === 'edge') return 'traefik.docker.network';
  return overlay.endsWith('-swarm') ? 'com.docker.stack.namespace' : 'com.docker.compose.project';
}
