/**
 * What each environment's rendered model must hold. C1 to C12 in one table; `scope` says where a rule counts. It is long
 * because it is that table.
 */
import { HOSTED, OVERLAYS, type Model, type Overlay, type Service } from './compose-model.js';
import type { Path } from './locate.js';

export interface Breach {
  readonly path: Path;
  /** What is wrong; expected what. */
  readonly problem: string;
}

export interface ComposeRule {
  readonly id: string;
  readonly title: string;
  readonly scope: readonly Overlay[];
  readonly check: (model: Model, overlay: Overlay) => readonly Breach[];
}

const SOCKET = '/var/run/docker.sock';

/** Who may break what, and why. Nothing else may. */
const exceptions: readonly { readonly service: string; readonly rule: string; readonly reason: string }[] = [
  { service: 'traefik', rule: 'C1.user', reason: 'root without capabilities, to write the volume of certificates' },
];
const isExcepted = (service: string, rule: string) =>
  exceptions.some((entry) => entry.service === service && entry.rule === rule);

export const composeRules: readonly ComposeRule[] = [
  hardening('C1.read_only', 'root file system is read-only', 'read_only', (s) => s.read_only === true),
  hardening('C1.cap_drop', 'all capabilities dropped', 'cap_drop', (s) => s.cap_drop?.includes('ALL') === true),
  hardening('C1.cap_add', 'no capability given back', 'cap_add', (s) => !s.cap_add?.length),
  hardening('C1.security_opt', 'no new privileges', 'security_opt', (s) =>
    Boolean(s.security_opt?.includes('no-new-privileges:true')),
  ),
  hardening('C1.init', 'an init reaps and forwards signals', 'init', (s) => s.init === true),
  hardening('C1.user', 'a user other than root', 'user', (s) => s.user !== undefined && !/^(root|0)(:|$)/.test(s.user)),
  hardening('C1.limits', 'limits of memory, cpus and pids', 'deploy', (s) => {
    const limits = s.deploy?.resources?.limits;
    return Boolean(limits?.memory && limits.cpus && limits.pids);
  }),
  hardening('C1.logging', 'logs that rotate', 'logging', (s) =>
    Boolean(s.logging?.options?.['max-size'] && s.logging.options['max-file']),
  ),
  {
    id: 'C3.host',
    title: 'no door to the host: privileged, host namespaces',
    scope: OVERLAYS,
    check: eachService((service) => [
      ...(service.privileged ? [breach('privileged', 'is true; expected it left out')] : []),
      ...(['network_mode', 'pid', 'ipc'] as const)
        .filter((key) => service[key] === 'host')
        .map((key) => breach(key, 'is "host"; expected a namespace of its own')),
    ]),
  },
  {
    id: 'C3.mounts',
    title: 'no bind mount, but for the engine socket in its proxy',
    scope: HOSTED,
    check: eachService((service, name) =>
      binds(service)
        .filter((bind) => !(name === 'socket-proxy' && bind.source === SOCKET && bind.read_only))
        .map((bind) =>
          breach('volumes', `mounts ${bind.source} of the host; expected a named volume, secret or config`),
        ),
    ),
  },
  {
    id: 'C3.sources',
    title: 'bind mounts are read-only and inside the checkout',
    scope: ['development', 'testing'],
    check: eachService((service) =>
      binds(service)
        .filter((bind) => !bind.read_only || /^\/(etc|proc|sys|var|root|home)?$/.test(bind.source ?? ''))
        .map((bind) => breach('volumes', `mounts ${bind.source} writable or from the system; expected :ro`)),
    ),
  },
  {
    id: 'C4.loopback',
    title: 'ports answer on this machine only',
    scope: ['development', 'testing'],
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
    title: 'no published port but 80 and 443 of the edge',
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
    scope: ['development', 'testing'],
    check: eachService((service) =>
      service.build || service.pull_policy === 'never' || /:(?!latest(@|$))[^/]+$/.test(service.image ?? '')
        ? []
        : [breach('image', `is ${service.image ?? 'not set'}; expected a tag other than latest`)],
    ),
  },
  {
    id: 'C7.files',
    title: 'secrets are files, and each file named is mounted',
    scope: HOSTED,
    check: eachService((service) =>
      Object.entries(service.environment ?? {}).flatMap(([name, value]) => {
        if (isSecretName(name)) return [breach(`environment.${name}`, `holds a secret; expected ${name}_FILE`)];
        const file = name.endsWith('_FILE') ? /^\/run\/secrets\/(.+)$/.exec(value ?? '')?.[1] : undefined;
        const mounted = (service.secrets ?? []).map((secret) => secret.source);
        return file && !mounted.includes(file)
          ? [breach(`environment.${name}`, `names the secret ${file}; expected it under secrets`)]
          : [];
      }),
    ),
  },
  {
    id: 'C7.admin',
    title: 'only provisioning is given the administrator, only release commands the migrator',
    scope: OVERLAYS,
    check: eachService((service, name) =>
      Object.keys(service.environment ?? {})
        .filter((key) => /^DATABASE_ADMIN_URL/.test(key) && !['provision', 'tests'].includes(name))
        .concat(
          Object.keys(service.environment ?? {}).filter(
            (key) => /^DATABASE_MIGRATION_URL/.test(key) && !['provision', 'migrate', 'tests'].includes(name),
          ),
        )
        .map((key) => breach(`environment.${key}`, `is given to ${name}; expected it left out`)),
    ),
  },
  {
    id: 'C8.internal',
    title: 'databases stand on internal networks only',
    scope: HOSTED,
    check: (model) =>
      dataServices(model).flatMap(([name, service]) =>
        Object.keys(service.networks ?? {})
          .filter((network) => !model.networks?.[network]?.internal)
          .map((network) => ({
            path: ['services', name, 'networks'],
            problem: `joins ${network}, which is not internal; expected backend alone`,
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
    id: 'C9.names',
    title: 'containers, networks and volumes are named by the project',
    scope: OVERLAYS,
    check: (model) => [
      ...eachService((service) =>
        service.container_name ? [breach('container_name', `is ${service.container_name}; expected it left out`)] : [],
      )(model),
      ...(['networks', 'volumes'] as const).flatMap((kind) =>
        Object.entries(model[kind] ?? {})
          .filter(([key, entry]) => !entry.external && entry.name !== `${model.name}_${key}`)
          .map(([key, entry]) => ({
            path: [kind, key, 'name'],
            problem: `is fixed to ${entry.name}; expected it left out`,
          })),
      ),
    ],
  },
  {
    id: 'C10.edge',
    title: 'the edge shows nothing by itself and keeps its certificates',
    scope: ['staging', 'production'],
    check: (model, overlay) => edgeBreaches(model.services['traefik'], overlay),
  },
  {
    id: 'C12.profiles',
    title: 'who depends on a profile does not require it',
    scope: OVERLAYS,
    check: (model) =>
      Object.entries(model.services).flatMap(([name, service]) =>
        Object.entries(service.depends_on ?? {})
          .filter(([other, { required }]) => model.services[other]?.profiles && !service.profiles && required !== false)
          .map(([other]) => ({
            path: ['services', name, 'depends_on', other],
            problem: `requires ${other}, which a profile switches off; expected required: false`,
          })),
      ),
  },
];

/** A key that every service must have right, but for the exceptions above. */
function hardening(id: string, title: string, key: string, holds: (service: Service) => boolean): ComposeRule {
  const check = eachService((service, name) =>
    holds(service) || isExcepted(name, id) ? [] : [breach(key, `does not hold; expected ${title}`)],
  );
  return { id, title, scope: OVERLAYS, check };
}

function eachService(check: (service: Service, name: string) => readonly Breach[]) {
  return (model: Model): readonly Breach[] =>
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

function dataServices(model: Model): [string, Service][] {
  return Object.entries(model.services).filter(([name]) => name === 'postgres' || name === 'redis');
}

function isSecretName(name: string): boolean {
  return /(PASSWORD|SECRET|TOKEN|_KEY|DSN|^DATABASE_.*URL|^REDIS_URL)$/.test(name);
}

function edgeBreaches(edge: Service | undefined, overlay: Overlay): Breach[] {
  const settings = edge?.environment ?? {};
  const acme = 'TRAEFIK_CERTIFICATESRESOLVERS_LETSENCRYPT_ACME';
  const authority = `https://acme${overlay === 'production' ? '' : '-staging'}-v02.api.letsencrypt.org/directory`;
  const wanted: Record<string, string> = {
    TRAEFIK_PROVIDERS_DOCKER_EXPOSEDBYDEFAULT: 'false',
    TRAEFIK_PROVIDERS_DOCKER_ENDPOINT: 'tcp://socket-proxy:2375',
    TRAEFIK_API: 'false',
    TRAEFIK_PROVIDERS_FILE_FILENAME: '/etc/traefik/tls.yml',
    [`${acme}_CASERVER`]: authority,
    [`${acme}_STORAGE`]: '/acme/acme.json',
  };
  const wrong = Object.entries(wanted).filter(([name, value]) => settings[name] !== value);
  const stored = edge?.volumes?.some((volume) => volume.type === 'volume' && volume.target === '/acme');
  return [
    ...wrong.map(([name, value]) => ({
      path: ['services', 'traefik', 'environment', name],
      problem: `is ${settings[name] ?? 'not set'}; expected ${value}`,
    })),
    ...(stored ? [] : [{ path: ['services', 'traefik', 'volumes'], problem: 'lacks /acme; expected a named volume' }]),
  ];
}
