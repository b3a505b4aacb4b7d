import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { traitsOf } from '@airlock/config';
import { socketGroup } from './edge.fixture.js';
import { attempt, run, type Outcome } from './engine.fixture.js';
import { inspectProject, serviceOf, type Container } from './containers.fixture.js';

/** An environment on the host that runs it. */
export interface Hosting {
  readonly environment: 'preview' | 'staging' | 'production';
  /** The argument of docker/compose. */
  readonly selector: string;
  readonly database: string;
  readonly replicas: number;
  readonly services: readonly string[];
  /** Another environment that a release could state, and the check that stops it: the database name or its stamp. */
  readonly elsewhere: { readonly environment: string; readonly status: number; readonly says: string };
}

const STAMP = 'the database belongs to another environment';

export const hostings: readonly Hosting[] = [
  {
    environment: 'staging',
    selector: 'staging',
    database: 'airlock_staging',
    replicas: 2,
    services: ['api', 'outbound', 'postgres', 'redis'],
    elsewhere: { environment: 'preview', status: 78, says: 'and its word staging belongs to another environment' },
  },
  {
    environment: 'production',
    selector: 'production',
    database: 'airlock',
    replicas: 3,
    services: ['api', 'postgres', 'redis'],
    elsewhere: { environment: 'preview', status: 3, says: STAMP },
  },
  {
    environment: 'preview',
    selector: 'preview-42',
    database: 'airlock_preview',
    replicas: 1,
    services: ['api', 'outbound', 'postgres'],
    elsewhere: { environment: 'development', status: 3, says: STAMP },
  },
];

export interface HostOptions {
  readonly name: string;
  /** A checkout of the release. */
  readonly folder: string;
  /** `registry/repository` and the digest in it. */
  readonly repository: string;
  readonly digest: string;
  /** OUTBOUND_HOSTS, where not every host may be reached. */
  readonly outboundHosts: string;
  /** True if docker/images.lock names the images of the edge. */
  readonly hasEdge: boolean;
}

/** A host of one environment: its settings, its secrets as files, and a project of this run. */
export class Host {
  readonly project: string;
  readonly secretsDir: string;
  /** One secret for each purpose: the configuration rejects equal ones. */
  readonly passwords = Object.fromEntries(
    ['app', 'migrator', 'admin', 'redis', 'key'].map((purpose) => [purpose, randomBytes(32).toString('hex')]),
  );
  readonly #edge: string;

  constructor(
    readonly hosting: Hosting,
    readonly options: HostOptions,
  ) {
    this.project = `${options.name}-${hosting.selector}`;
    this.secretsDir = join(options.folder, '..', `secrets-${hosting.environment}`);
    this.#edge = `${options.name}-edge_edge`;
  }

  setUp(): void {
    this.#writeSecrets(this.secretsDir, this.passwords);
    this.#writeSettings();
    // The Traefik of a preview host creates this network.
    if (!this.#isPreview) return;
    if (!this.options.hasEdge) run('docker', ['network', 'create', '--internal', this.#edge]);
    else this.#expectDone(this.#previewEdge('up', '--wait', '--detach'));
  }

  /** `docker/compose ENVIRONMENT …` as the operator of the host types it. */
  compose(...args: string[]): Outcome {
    return this.composeWith({}, ...args);
  }

  composeWith(settings: Readonly<Record<string, string>>, ...args: string[]): Outcome {
    const own = { AIRLOCK_PROJECT: this.project, EDGE_NETWORK: this.#edge };
    return attempt('docker/compose', [this.hosting.selector, ...args], this.options.folder, { ...own, ...settings });
  }

  containers(service?: string): Container[] {
    return inspectProject(this.project).filter((container) => !service || serviceOf(container) === service);
  }

  sql(text: string): string {
    const psql = ['psql', '--username=postgres', `--dbname=${this.hosting.database}`, '-XAtc', text];
    return this.compose('exec', '--no-TTY', 'postgres', ...psql).output.trim();
  }

  /** The network between the edge and the API. */
  get edgeNetwork(): string {
    return this.hosting.environment === 'preview' ? this.#edge : `${this.project}_edge`;
  }

  /** Writes the secret files with another key; returns their folder. */
  writeSecretsWithKey(key: string): string {
    const folder = `${this.secretsDir}-other`;
    this.#writeSecrets(folder, { ...this.passwords, key });
    return folder;
  }

  /** Starts the edge if the host has its own; returns its address. */
  startEdge(): string {
    if (!this.#isPreview) this.#expectDone(this.compose('up', '--wait', '--detach'));
    const words = ['port', 'traefik', '443'] as const;
    return (this.#isPreview ? this.#previewEdge(...words) : this.compose(...words)).output.trim();
  }

  edgeLog(): string {
    const words = ['logs', 'traefik', 'socket-proxy'] as const;
    return (this.#isPreview ? this.#previewEdge(...words) : this.compose(...words)).output;
  }

  stopEdge(): void {
    if (!this.#isPreview) this.#expectDone(this.compose('rm', '--stop', '--force', 'traefik', 'socket-proxy'));
  }

  tearDown(): void {
    this.compose('down', '--volumes', '--remove-orphans');
    if (!this.#isPreview) return;
    if (this.options.hasEdge) this.#previewEdge('down', '--volumes');
    run('docker', ['network', 'rm', '--force', this.#edge]);
  }

  /** Whether every host may be reached. */
  get isOpen(): boolean {
    return traitsOf(this.hosting.environment).mayReachAnyHost;
  }

  /** Whether users connect accounts of a provider: in one environment, and of a provider that none of them reaches. */
  get hasCallback(): boolean {
    return this.hosting.environment === 'staging';
  }

  get #isPreview(): boolean {
    return this.hosting.environment === 'preview';
  }

  /** Runs the command of docs/docker.md with the settings of the host. */
  #previewEdge(...words: string[]): Outcome {
    const files = ['docker/settings/preview.env', 'docker/images.lock'].flatMap((file) => ['--env-file', file]);
    const project = ['--project-name', this.#edge.replace(/_edge$/, '')];
    const command = ['compose', ...project, ...files, '--file', 'docker/traefik/compose.yml', ...words];
    return attempt('docker', command, this.options.folder);
  }

  #describeCallback(): string {
    const [key, clientSecret] = [randomBytes(32).toString('hex'), randomBytes(32).toString('hex')];
    const provider = { name: 'acme', issuer: 'https://login.example.com', clientId: 'airlock', clientSecret };
    const providers = JSON.stringify([{ ...provider, scopes: ['openid'] }]);
    return `CALLBACK_REPLICAS=1
CONNECTION_KEYS=${key}
CONNECTION_PROVIDERS='${providers}'
CONNECTIONS_PAGE=https://app.example.com/accounts
`;
  }

  #expectDone({ status, output }: Outcome): void {
    if (status !== 0) throw new Error(output.slice(-4000));
  }

  #writeSecrets(folder: string, { app, migrator, admin, redis, key }: Record<string, string>): void {
    const { database } = this.hosting;
    const secrets = {
      database_url: `postgres://airlock_app:${app}@postgres:5432/${database}`,
      database_migration_url: `postgres://airlock_migrator:${migrator}@postgres:5432/${database}`,
      database_admin_url: `postgres://postgres:${admin}@postgres:5432/postgres`,
      postgres_password: admin,
      redis_url: `redis://:${redis}@redis:6379/0`,
      redis_acl: `user default on >${redis} ~* &* +@all`,
      secret_key: key,
    };
    mkdirSync(folder, { mode: 0o700 });
    for (const [file, text] of Object.entries(secrets)) {
      writeFileSync(join(folder, file), `${text}\n`);
      chmodSync(join(folder, file), 0o444);
    }
  }

  #writeSettings(): void {
    const { folder, repository, digest } = this.options;
    const example = readFileSync(join(folder, 'docker/settings/example.env'), 'utf8');
    const own = { API_REPOSITORY: repository, IMAGE_DIGEST: digest, SECRETS_DIR: this.secretsDir };
    const settings = { ...own, DOCKER_GID: socketGroup() };
    const text = Object.entries(settings).reduce(
      (all, [key, value]) => all.replace(new RegExp(`^${key}=.*$`, 'm'), `${key}=${value}`),
      example,
    );
    // The tests do not need their images.
    const missing = this.options.hasEdge ? [] : ['TRAEFIK_IMAGE', 'SOCKET_PROXY_IMAGE'];
    const edge = missing.map((key) => `${key}=example@sha256:${'0'.repeat(64)}\n`).join('');
    const callback = this.hasCallback ? this.#describeCallback() : '';
    const hosts = this.isOpen ? '' : `OUTBOUND_HOSTS=${this.options.outboundHosts}\n`;
    writeFileSync(join(folder, `docker/settings/${this.hosting.environment}.env`), `${text}${edge}${hosts}${callback}`);
  }
}
