import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { FIXED_IN_STACKS } from '@airlock/config';
import { isRead, metaOf, variableNames } from '@airlock/config/loading';
import { checkModel } from './check-compose.js';
import { composeFiles, root, withComposeCopy, type Copy } from './compose-copy.fixture.js';
import { HOSTED, OVERLAYS, renderModel, sampleSettings, type OverlayModel, type Overlay } from './compose-overlays.js';
import { composeRules } from './compose-rules.js';
import { checkSources, sourceRules } from './source-rules.js';

/** Secrets are files, whatever the settings contain. */
const SECRETS = { database_url: true, redis_url: true, secret_key: true };

const models = new Map(OVERLAYS.map((overlay) => [overlay, renderModel(root, overlay)]));
const modelOf = (overlay: Overlay) => models.get(overlay) as NonNullable<ReturnType<typeof models.get>>;

const rulesByOverlay = composeRules.flatMap((rule) => rule.scope.map((overlay) => ({ rule, overlay, id: rule.id })));

describe('the rendered model', () => {
  it.each(rulesByOverlay)('keeps $id in $overlay', ({ rule, overlay }) => {
    expect(checkModel(root, overlay, modelOf(overlay), [rule])).toEqual([]);
  });
});

describe('the Compose sources', () => {
  it.each(sourceRules)('keep $id: $title', (rule) => {
    expect(checkSources(root, composeFiles, [rule])).toEqual([]);
  });
});

/** One way to break each rule: the environment, and an edit that returns the line that must be reported. */
interface Mutation {
  readonly rule: string;
  readonly what: string;
  readonly overlay: Overlay;
  readonly file: string;
  /** Breaks the rule; returns the line to be reported, or the line and another file. */
  readonly edit: (copy: Copy, file: string) => number | string;
}

const insert =
  (anchor: RegExp, ...lines: string[]): Mutation['edit'] =>
  (copy, file) =>
    copy.insert(file, anchor, ...lines);
const replace =
  (anchor: RegExp, ...lines: string[]): Mutation['edit'] =>
  (copy, file) =>
    copy.replace(file, anchor, ...lines);

/** The same line in staging and production. */
const both = (rule: string, what: string, edit: Mutation['edit']): Mutation[] =>
  (['staging', 'production'] as const).map((overlay) => ({
    rule,
    what,
    overlay,
    file: `compose.${overlay}.yml`,
    edit,
  }));
const POSTGRES = /^ {2}postgres:$/;
const API = /^ {2}api:$/;
const ARCHIVE = /^ {2}archive:$/;
const drop = (key: string): Mutation['edit'] => insert(API, `    ${key}: !reset null`);

const mutations: Mutation[] = [
  ...both('C4.edge', 'a published database port', insert(POSTGRES, "    ports: ['5432:5432']")),
  ...both('C4.edge', 'a database port on loopback', insert(POSTGRES, "    ports: ['127.0.0.1:5432:5432']")),
  ...both('C5.digest', 'the tag latest', insert(POSTGRES, '    image: postgres:latest')),
  ...both('C5.digest', 'a build', insert(API, '    build: .')),
  ...both('C3.mounts', 'a bind mount', insert(API, "    volumes: ['./apps:/app/apps']")),
  ...both(
    'C3.mounts',
    'the engine socket',
    insert(API, "    volumes: ['/var/run/docker.sock:/var/run/docker.sock:ro']"),
  ),
  ...both('C3.host', 'privileges', insert(API, '    privileged: true')),
  ...both('C3.host', "the host's processes", insert(API, '    pid: host')),
  ...both('C3.host', "the host's network", insert(API, '    network_mode: host', '    networks: !reset null')),
  ...both('C3.host', 'a device', insert(API, "    devices: ['/dev/kmsg:/dev/kmsg']")),
  ...both('C3.mounts', 'a volume that is a folder of the host', (copy, file) => {
    const options = '{ type: none, o: bind, device: /etc }';
    return copy.insert(file, /^volumes:/, `  postgres: { driver_opts: ${options} }`);
  }),
  ...both('C3.mounts', 'a config that is a file of the host', (copy, file) =>
    copy.replace(file, /traefik_tls: \{ file/, '  traefik_tls: { file: /etc/shadow }'),
  ),
  ...both('C3.socket', 'the engine socket on a network with a way out', (copy) => {
    return `docker/traefik/edge.yml:${copy.replace('docker/traefik/edge.yml', /networks: \[socket\]/, '    networks: [socket, edge]')}`;
  }),
  ...both('C3.socket', 'another service beside the engine socket', (copy, file) => {
    copy.insert(file, API, '    networks: [edge, backend, socket]');
    return `docker/traefik/edge.yml:${copy.find('docker/traefik/edge.yml', /networks: \[socket\]/)}`;
  }),
  ...both('C1.user', 'the user root', insert(API, "    user: '0'")),
  ...both('C1.user', 'the user root by name and group', insert(POSTGRES, '    user: root:postgres')),
  ...both('C1.user', 'the user root in other digits', insert(API, "    user: '00'")),
  ...both('C1.user', 'the group root', insert(API, "    user: '10001:0'")),
  ...both('C1.user', 'no user', drop('user')),
  ...both('C1.read_only', 'a writable root', insert(API, '    read_only: false')),
  ...both('C1.cap_drop', 'capabilities kept', drop('cap_drop')),
  ...both('C1.cap_add', 'a capability given back', insert(API, '    cap_add: [NET_ADMIN]')),
  ...both('C1.security_opt', 'new privileges', drop('security_opt')),
  ...both('C1.security_opt', 'no filter of system calls', insert(API, "    security_opt: ['seccomp=unconfined']")),
  ...both('C1.init', 'no init', insert(API, '    init: false')),
  ...both('C1.logging', 'logs without end', drop('logging')),
  ...both('C7.files', 'a secret in the environment', (copy, file) =>
    copy.replace(file, /^ {4}environment: \{ ENVIRONMENT/, '    environment: { SECRET_KEY: aaaa }'),
  ),
  ...both('C7.files', 'a password inside an address', (copy, file) =>
    copy.replace(
      file,
      /^ {4}environment: \{ ENVIRONMENT/,
      "    environment: { HOME_PAGE: 'https://me:secret@example.com' }",
    ),
  ),
  ...both('C7.command', 'a password in a command', (copy, file) => {
    copy.insert(file, /^ {8}redis-server,/, '        --requirepass=secret,');
    return copy.find(file, /^ {4}command:$/);
  }),
  ...both('C7.files', 'a secret that is not mounted', (copy, file) => {
    copy.replace(file, /^ {4}secrets: \[redis_url\]/, '    secrets: []');
    return copy.find(file, /REDIS_URL_FILE/);
  }),
  ...both('C7.admin', 'the administrator in the API', (copy, file) =>
    copy.replace(
      file,
      /^ {4}environment: \{ ENVIRONMENT/,
      '    environment: { DATABASE_ADMIN_URL_FILE: /run/secrets/redis_url }',
    ),
  ),
  ...both('C3.data', 'a second writer of the data', (copy, file) => {
    copy.insert(file, ARCHIVE, "    volumes: ['postgres:/var/lib/postgresql']");
    return copy.find(file, /^ {4}volumes: \['postgres/);
  }),
  mutation('C8.closed', 'a way out for the archive', 'staging', 'compose.staging.yml', (copy, file) =>
    copy.insert(file, ARCHIVE, '    networks: [outside]'),
  ),
  ...both('C8.internal', 'the database with a way out', insert(POSTGRES, '    networks: [backend, outside]')),
  ...both('C8.apart', 'the database beside Traefik', insert(POSTGRES, '    networks: [edge]')),
  ...(['compose.staging.yml', 'compose.preview.yml', 'compose.test.yml'] as const).map((file) => {
    const overlay = { staging: 'staging', preview: 'preview', test: 'testing' }[file.split('.')[1] ?? ''] as Overlay;
    return mutation('C8.closed', 'an open network of the edge', overlay, file, (copy) => {
      if (file === 'compose.preview.yml') return copy.replace(file, /^ {2}edge: !override/, '  edge: !override {}');
      copy.insert(file, /^networks:/, '  edge: !override {}');
      return copy.find(file, /^ {2}edge: !override/);
    });
  }),
  ...(['staging', 'staging-swarm'] as const).map((overlay) =>
    mutation('C8.closed', 'a worker with a way out', overlay, 'compose.staging.yml', (copy, file) => {
      return copy.insert(file, /^ {2}worker:$/, '    networks: [backend, outside]');
    }),
  ),
  mutation('C8.closed', 'an added program with a way out', 'staging', 'compose.staging.yml', (copy, file) => {
    copy.insert(file, /^services:/, '  reports:', '    extends: { file: docker/hosted.yml, service: worker }');
    return copy.find(file, /^ {2}reports:/);
  }),
  mutation('C8.closed', 'an address of the host', 'staging', 'compose.yml', (copy, file) => {
    copy.remove(file, /gateway_mode_ipv4/);
    return copy.find(file, /^ {2}edge:/);
  }),
  mutation('C8.closed', 'an open network for previews', 'edge', 'docker/traefik/compose.yml', (copy, file) =>
    copy.replace(file, /^ {2}edge:/, '  edge: {}'),
  ),
  mutation('C8.proxy', 'no proxy', 'staging', 'compose.staging.yml', (copy, file) => {
    copy.replace(file, /service: outbound \}/, '    command: [sleep, infinity]');
    return copy.find(file, /^ {2}outbound:/);
  }),
  mutation('C8.proxy', 'an API that does not know it', 'preview', 'compose.preview.yml', (copy, file) =>
    copy.replace(file, /OUTBOUND_PROXY/, '    environment: { ENVIRONMENT: preview }'),
  ),
  mutation('C8.proxy', 'an added program that does not know it', 'staging', 'compose.staging.yml', (copy, file) => {
    const own = ['    command: [node, reports.js]', '    environment: { ENVIRONMENT: staging } # reports'];
    copy.insert(file, /^services:/, '  reports:', '    extends: { file: docker/hosted.yml, service: worker }', ...own);
    return copy.find(file, /# reports$/);
  }),
  ...both('C9.names', 'a container name', insert(POSTGRES, '    container_name: database')),
  ...both('C9.names', 'a volume with a name of its own', insert(/^volumes:/, '  postgres: { name: data }')),
  ...both(
    'C9.names',
    'the volume of another environment',
    insert(/^volumes:/, '  postgres: { external: true, name: airlock-development_postgres }'),
  ),
  ...both('C12.profiles', 'a required service behind a profile', (copy, file) => {
    copy.insert(file, POSTGRES, '    profiles: [data]');
    return `compose.yml:${copy.find('compose.yml', /postgres: \{ condition/)}`;
  }),
  mutation('C1.limits', 'a limit missing in production', 'production', 'compose.production.yml', (copy, file) =>
    copy.replace(file, /memory: 4G/, "    deploy: { resources: !override { limits: { cpus: '2' } } }"),
  ),
  mutation('C1.limits', 'a limit missing in all', 'staging', 'compose.yml', (copy, file) => {
    return copy.replace(file, /memory: 1G/, "    deploy: { resources: { limits: { cpus: '2', pids: 256 } } }");
  }),
  mutation('C10.edge', 'untrusted certificates in production', 'production', 'compose.production.yml', (copy, file) =>
    copy.replace(
      file,
      /ACME_CASERVER/,
      '      TRAEFIK_CERTIFICATESRESOLVERS_LETSENCRYPT_ACME_CASERVER: https://example.com',
    ),
  ),
  mutation(
    'C10.edge',
    'an open dashboard',
    'staging',
    'compose.staging.yml',
    insert(/service: traefik \}/, "    environment: { TRAEFIK_API: 'true' }"),
  ),
  mutation(
    'C10.edge',
    'a dashboard without a password',
    'edge',
    'docker/traefik/edge.yml',
    replace(/TRAEFIK_PING/, "      TRAEFIK_API_INSECURE: 'true'"),
  ),
  ...(
    [
      ['staging', 'docker/traefik/edge.yml'],
      ['production', 'docker/traefik/edge.yml'],
      ['staging-swarm', 'docker/swarm.yml'],
      ['production-swarm', 'docker/swarm.yml'],
      ['edge', 'docker/traefik/compose.yml'],
    ] as const
  ).map(([overlay, source]) =>
    mutation('C10.edge', 'an edge that takes the routers of others', overlay, source, (copy, file) =>
      copy.replace(
        file,
        /_CONSTRAINTS: Label/,
        `      TRAEFIK_PROVIDERS_${overlay.endsWith('-swarm') ? 'SWARM' : 'DOCKER'}_CONSTRAINTS: ''`,
      ),
    ),
  ),
  mutation(
    'C10.edge',
    'certificates that are stored in the container',
    'staging',
    'docker/traefik/edge.yml',
    replace(/acme:\/acme/, '    volumes: []'),
  ),
  mutation('C3.sources', 'a writable checkout', 'development', 'compose.override.yml', (copy, file) => {
    copy.replace(file, /\.\/tools:/, '    - ./tools:/app/tools');
    return copy.find(file, /volumes: &sources/);
  }),
  mutation('C3.sources', 'a folder beside the checkout', 'development', 'compose.override.yml', (copy, file) => {
    copy.replace(file, /\.\/tools:/, '    - ../tools:/app/tools:ro');
    return copy.find(file, /volumes: &sources/);
  }),
  mutation('C4.loopback', 'a port for the whole network', 'development', 'compose.override.yml', (copy, file) =>
    copy.replace(file, /API_PORT/, "    ports: ['8000:8000']"),
  ),
  mutation('C4.loopback', 'a test database for the whole network', 'testing', 'compose.test.yml', (copy, file) =>
    copy.replace(file, /TEST_POSTGRES_PORT/, "    ports: ['0.0.0.0:5433:5432']"),
  ),
  mutation('C5.tag', 'no tag', 'testing', 'compose.yml', replace(/image: redis/, '    image: redis')),
];

/** Additions that staging and production must reject. Each line is reported with the name of the rule behind it. */
const additions = [
  { rule: 'C4.edge', service: 'postgres', line: "ports: ['5432:5432']" },
  { rule: 'C5.digest', service: 'postgres', line: 'image: postgres:latest' },
  { rule: 'C3.mounts', service: 'postgres', line: "volumes: ['/srv/data:/var/lib/postgresql']" },
  { rule: 'C1.limits', service: 'migrate', line: 'deploy: { resources: { limits: { pids: 0 } } }' },
  { rule: 'C1.user', service: 'postgres', line: "user: '0:0'" },
];
const SERVICES = ['postgres', 'migrate'] as const;
const linesOf = (service: string, indent: string) =>
  additions.filter((addition) => addition.service === service).map(({ line, rule }) => `${indent}${line} # ${rule}`);

/** Adds the keys to the services of `file`, which must not have them yet; returns the file. */
const addTo = (copy: Copy, file: string): string => {
  for (const service of SERVICES) {
    const present = copy.read(file).includes(`\n  ${service}:\n`);
    const head = new RegExp(present ? `^ {2}${service}:$` : '^services:$');
    copy.insert(file, head, ...(present ? [] : [`  ${service}:`]), ...linesOf(service, '    '));
  }
  return file;
};

/** The ways to make an addition; each returns the file that contains it. */
const ways: Readonly<Record<string, (copy: Copy, overlay: string) => string>> = {
  'in its overlay': (copy, overlay) => addTo(copy, `compose.${overlay}.yml`),
  'through an anchor': (copy, overlay) => {
    const file = `compose.${overlay}.yml`;
    for (const service of SERVICES) {
      copy.insert(file, /^name:/, `x-more-${service}: &more-${service}`, ...linesOf(service, '  '));
      copy.insert(file, new RegExp(`^ {2}${service}:$`), `    <<: *more-${service}`);
    }
    return file;
  },
  'through what it extends': (copy) => {
    copy.remove('docker/hosted.yml', /POSTGRES_IMAGE:\?/);
    return addTo(copy, 'docker/hosted.yml');
  },
  'through another file that it extends': (copy, overlay) => {
    for (const service of SERVICES) {
      const extended = `extends: { file: docker/more.yml, service: ${service}-more }`;
      copy.replace(`compose.${overlay}.yml`, new RegExp(`hosted.yml, service: ${service} `), `    ${extended}`);
      copy.append('docker/more.yml', ...(service === 'postgres' ? ['services:'] : []), `  ${service}-more:`);
      copy.append(
        'docker/more.yml',
        `    extends: { file: hosted.yml, service: ${service} }`,
        ...linesOf(service, '    '),
      );
    }
    return 'docker/more.yml';
  },
  'in a second overlay': (copy) => addTo(copy, 'docker/swarm.yml'),
};
const comings = (['staging', 'production'] as const).flatMap((overlay) =>
  Object.entries(ways).map(([how, add]) => ({ overlay, how, add })),
);

describe('a port of the database, latest, a bind mount, a missing limit and root', () => {
  it.each(comings)('are refused in $overlay $how, by file and line', ({ overlay, how, add }) => {
    withComposeCopy((copy) => {
      const file = add(copy, overlay);
      const judged = how === 'in a second overlay' ? (`${overlay}-swarm` as const) : overlay;
      const messages = checkModel(copy.root, judged, renderModel(copy.root, judged));
      for (const { rule, service } of additions) {
        const where = `${file}:${copy.find(file, new RegExp(`# ${rule}$`))}`;
        const expected = new RegExp(`^${where}: ${rule} services\\.${service}\\.\\S+: .+; expected .+`);
        expect(messages).toContainEqual(expect.stringMatching(expected));
      }
    });
  });
});

const sourceMutations: Omit<Mutation, 'overlay'>[] = [
  { rule: 'C4.base', what: 'a port in the base', file: 'compose.yml', edit: insert(API, "    ports: ['8000:8000']") },
  {
    rule: 'C4.base',
    what: 'an environment in the base',
    file: 'compose.yml',
    edit: replace(/ HOST:/, '      ENVIRONMENT: production'),
  },
  {
    rule: 'C6.required',
    what: 'an unguarded variable',
    file: 'docker/hosted.yml',
    edit: insert(API, '    user: ${API_USER}'),
  },
  {
    rule: 'C6.default',
    what: 'a default password',
    file: 'compose.override.yml',
    edit: replace(/ {6}POSTGRES_PASSWORD:/, '      POSTGRES_PASSWORD: ${POSTGRES_PASSWORD:-postgres}'),
  },
  {
    rule: 'C10.tls',
    what: 'TLS 1.0',
    file: 'docker/traefik/tls.yml',
    edit: replace(/minVersion/, '      minVersion: VersionTLS10'),
  },
  {
    rule: 'C11.dollar',
    what: 'an unquoted dollar',
    file: 'docker/settings/staging.env',
    edit: insert(/^SECRETS_DIR/, 'ACME_EMAIL=a$b@example.com'),
  },
];

function mutation(rule: string, what: string, overlay: Overlay, file: string, edit: Mutation['edit']): Mutation {
  return { rule, what, overlay, file, edit };
}

describe('a broken rule', () => {
  it.each(mutations)('$rule refuses $what in $overlay by file and line', ({ rule, overlay, file, edit }) => {
    withComposeCopy((copy) => {
      const line = edit(copy, file);
      const where = typeof line === 'string' ? line : `${file}:${line}`;
      const messages = checkModel(copy.root, overlay, renderModel(copy.root, overlay));
      expect(messages).toContainEqual(expect.stringMatching(new RegExp(`^${where}: ${rule} \\S+: .+; expected .+`)));
    });
  });

  it('has a case here for every rule', () => {
    const broken = new Set([...mutations, ...sourceMutations].map((mutation) => mutation.rule));
    const all = [...composeRules, ...sourceRules].map((rule) => rule.id);
    expect(all.filter((id) => !broken.has(id))).toEqual([]);
  });
});

describe('a broken source', () => {
  it.each(sourceMutations)('$rule refuses $what by file and line', ({ rule, file, edit }) => {
    withComposeCopy((copy) => {
      const line = edit(copy, file);
      const messages = checkSources(copy.root, [...composeFiles, file]);
      expect(messages).toContainEqual(expect.stringMatching(new RegExp(`^${file}:${line}: ${rule}: .+; expected .+`)));
    });
  });

  it('C11.dollar accepts a dollar in single quotes', () => {
    withComposeCopy((copy) => {
      copy.insert('docker/settings/staging.env', /^SECRETS_DIR/, "ACME_EMAIL='a$b@example.com'");
      expect(checkSources(copy.root, ['docker/settings/staging.env'])).toEqual([]);
    });
  });
});

describe('a rendered hosted environment', () => {
  it.each(HOSTED)('shows no value of a secret: %s', (overlay) => {
    const canary = 'canary-3b1f0d6c';
    const rendered = renderModel(root, overlay, {
      settings: { ...sampleSettings, POSTGRES_PASSWORD: canary, SECRET_KEY: canary },
    });
    expect(JSON.stringify(rendered)).not.toContain(canary);
  });

  it.each(Object.keys(sampleSettings).filter((name) => name !== 'POSTGRES_PASSWORD' && name !== 'CORS_ORIGINS'))(
    'is refused, with the name of the variable, without %s',
    (name) => {
      const settings = Object.fromEntries(Object.entries(sampleSettings).filter(([key]) => key !== name));
      expect(() => renderModel(root, 'production', { settings })).toThrow(
        new RegExp(`required variable ${name} is missing`),
      );
    },
  );
});

describe('the settings file', () => {
  /** Passed on by an app that takes files: docs/uploads.md. */
  const ABSENT = 'STORAGE_URL';
  const settable = variableNames.filter(
    (name) =>
      isRead(name, 'api') &&
      !metaOf(name).only &&
      !(name in FIXED_IN_STACKS) &&
      !(name.toLowerCase() in SECRETS) &&
      name !== ABSENT,
  );
  const settings = { ...sampleSettings, ...Object.fromEntries(settable.map((name) => [name, `the ${name}`])) };

  it.each(HOSTED.filter((overlay) => overlay !== 'edge'))(
    'may set every variable that is not fixed in %s',
    (overlay) => {
      const { api, migrate, provision } = renderModel(root, overlay, { settings }).services;
      expect(settable.length).toBeGreaterThan(25);
      for (const name of settable) expect([name, api?.environment?.[name]]).toEqual([name, `the ${name}`]);
      for (const service of [migrate, provision])
        expect(Object.keys(service?.environment ?? {})).not.toContain('CORS_ORIGINS');
    },
  );

  it('may set no variable that is fixed', () => {
    const wishes = Object.fromEntries(Object.keys(FIXED_IN_STACKS).map((name) => [name, 'a wish']));
    const { api } = renderModel(root, 'production', { settings: { ...sampleSettings, ...wishes } }).services;
    expect(Object.values(api?.environment ?? {})).not.toContain('a wish');
  });
});

describe('docker/settings/example.env', () => {
  it('sets every variable that a hosted environment requires, except the digests of images.lock', () => {
    const set = [...readFileSync(join(root, 'docker/settings/example.env'), 'utf8').matchAll(/^(\w+)=/gm)].map(
      (match) => match[1],
    );
    const asked = Object.keys(sampleSettings).filter(
      (name) => name !== 'POSTGRES_PASSWORD' && !/^(?!API).*_IMAGE$/.test(name),
    );
    expect(set.sort()).toEqual(asked.sort());
  });
});

describe('staging and production', () => {
  it('differ in names, sizes, the certificate authority and the way out only', () => {
    const [staging, production] = [modelOf('staging'), modelOf('production')].map((model) =>
      parseModel(JSON.stringify(model).replaceAll(/(["`])(rules-)?(staging|production)(["`_])/g, '$1$2ENVIRONMENT$4')),
    ) as [OverlayModel, OverlayModel];
    expect([...differences(staging, production)]).toEqual([
      'networks.edge.driver_opts',
      'networks.edge.internal',
      'services.api.depends_on.outbound',
      'services.api.deploy.replicas',
      'services.api.deploy.resources.limits.cpus',
      'services.api.deploy.resources.limits.memory',
      'services.api.deploy.resources.reservations.memory',
      'services.api.environment.OUTBOUND_PROXY',
      'services.api.labels',
      'services.archive.networks.outside',
      'services.backup.depends_on.outbound',
      'services.backup.environment.OUTBOUND_PROXY',
      'services.callback.depends_on.outbound',
      'services.callback.environment.OUTBOUND_PROXY',
      'services.callback.labels',
      'services.outbound',
      'services.postgres.deploy.resources.limits.memory',
      'services.postgres.deploy.resources.limits.pids',
      'services.postgres.shm_size',
      'services.provision.environment.OUTBOUND_PROXY',
      'services.traefik.environment.TRAEFIK_CERTIFICATESRESOLVERS_LETSENCRYPT_ACME_CASERVER',
      'services.worker.depends_on.outbound',
      'services.worker.deploy.replicas',
      'services.worker.environment.OUTBOUND_PROXY',
    ]);
  });
});

const parseModel = (text: string) => JSON.parse(text) as OverlayModel;

/** Paths of the leaves in which two values differ. */
function* differences(left: unknown, right: unknown, path = ''): Generator<string> {
  if (JSON.stringify(left) === JSON.stringify(right)) return;
  if (path.endsWith('.labels') || typeof left !== 'object' || typeof right !== 'object' || !left || !right) {
    yield path;
    return;
  }
  const keys = [...new Set([...Object.keys(left), ...Object.keys(right)])].sort();
  for (const key of keys) {
    yield* differences(
      (left as Record<string, unknown>)[key],
      (right as Record<string, unknown>)[key],
      path ? `${path}.${key}` : key,
    );
  }
}

describe('environments side by side', () => {
  // Named as by docker/compose.
  const side = [
    ...(['development', 'testing', 'staging', 'production'] as const).map((overlay) => [overlay, overlay] as const),
    ['preview', 'preview-7'] as const,
    ['preview', 'preview-42'] as const,
  ].map(([overlay, word]) => renderModel(root, overlay, { project: `airlock-${word}` }));
  const claims = (model: OverlayModel): string[] => [
    model.name,
    ...Object.values(model.networks ?? {})
      .filter((network) => !network.external)
      .map((network) => `network ${network.name}`),
    ...Object.values(model.volumes ?? {}).map((volume) => `volume ${volume.name}`),
    ...Object.values(model.services).flatMap((service) =>
      (service.ports ?? []).map((port) => `port ${port.published}`),
    ),
    ...new Set(
      Object.values(model.services)
        .filter((service) => service.build)
        .map((service) => `image ${service.image}`),
    ),
  ];

  it('share no project, network, volume, port or built image', () => {
    const all = side.flatMap(claims);
    const twice = all.filter((claim, at) => all.indexOf(claim) !== at);
    // Staging and production each have their own host, with an edge at 80 and 443.
    expect(twice).toEqual(['port 80', 'port 443']);
  });
});
