import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { type Environment, environmentsWith, environmentsWithout, traitsOf } from '@airlock/config';

const DEPLOYED = environmentsWithout('runsLocally');
const LASTING = environmentsWithout('isDisposable');

export type Overlay = Environment | `${Environment}-swarm` | 'edge';

/** The environments on Compose and on a swarm (with docker/swarm.yml), and the edge of a preview host. */
export const HOSTED: readonly Overlay[] = [
  ...DEPLOYED,
  ...LASTING.map((environment) => `${environment}-swarm` as const),
  'edge',
];
export const LOCAL: readonly Overlay[] = environmentsWith('runsLocally');
export const OVERLAYS: readonly Overlay[] = [...LOCAL, ...HOSTED];

/** The parts of `docker compose config --format json` that the rules read. */
export interface OverlayModel {
  readonly name: string;
  /** The checkout that the model was rendered from. */
  readonly root: string;
  readonly services: Readonly<Record<string, Service>>;
  readonly networks?: Readonly<Record<string, Network>>;
  readonly volumes?: Readonly<Record<string, Part & { driver_opts?: Readonly<Record<string, string>> }>>;
  readonly configs?: Readonly<Record<string, Part & { file?: string }>>;
}

export interface Network extends Part {
  readonly internal?: boolean;
  readonly driver_opts?: Readonly<Record<string, string>>;
}

export interface Part {
  readonly name: string;
  readonly external?: boolean;
}

export interface Service {
  readonly image?: string;
  readonly build?: unknown;
  readonly pull_policy?: string;
  readonly user?: string;
  readonly init?: boolean;
  readonly read_only?: boolean;
  readonly privileged?: boolean;
  readonly command?: readonly string[] | null;
  readonly container_name?: string;
  readonly cap_drop?: readonly string[];
  readonly cap_add?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly profiles?: readonly string[];
  readonly environment?: Readonly<Record<string, string | null>>;
  readonly ports?: readonly { host_ip?: string; target: number; published?: string }[];
  readonly volumes?: readonly { type: string; source?: string; target: string; read_only?: boolean }[];
  readonly tmpfs?: readonly string[];
  readonly networks?: Readonly<Record<string, unknown>>;
  readonly secrets?: readonly { source: string; target?: string }[];
  readonly depends_on?: Readonly<Record<string, { condition: string; required?: boolean }>>;
  readonly logging?: { options?: Readonly<Record<string, string>> };
  readonly deploy?: {
    replicas?: number;
    resources?: { limits?: { cpus?: number | string; memory?: string; pids?: number } };
  };
}

/** The files of an environment. The first one overrides the others. */
export function sourceFiles(overlay: Overlay): readonly string[] {
  return listOverlayFiles(overlay).toReversed();
}

function listOverlayFiles(overlay: Overlay): string[] {
  if (overlay === 'edge') return ['docker/traefik/compose.yml'];
  const environment = overlay.replace(/-swarm$/, '');
  const { isServedFromSources, mayBeReset } = traitsOf(environment);
  const own = isServedFromSources ? 'override' : mayBeReset ? 'test' : environment;
  const swarm = overlay === environment ? [] : ['docker/swarm.yml'];
  return ['compose.yml', `compose.${own}.yml`, ...swarm];
}

const digest = `sha256:${'1'.repeat(64)}`;

/** Settings of an imaginary host, so that the hosted environments can be rendered anywhere. */
export const sampleSettings: Readonly<Record<string, string>> = {
  POSTGRES_PASSWORD: 'sample-password',
  API_REPOSITORY: 'registry.example.com/airlock',
  IMAGE_DIGEST: digest,
  POSTGRES_IMAGE: `postgres:18-trixie@${digest}`,
  REDIS_IMAGE: `redis:8-trixie@${digest}`,
  TRAEFIK_IMAGE: `traefik:v3@${digest}`,
  SOCKET_PROXY_IMAGE: `wollomatic/socket-proxy:1@${digest}`,
  AUTH_ISSUER: 'https://auth.example.com',
  AUTH_JWKS_URL: 'https://auth.example.com/.well-known/jwks.json',
  AUTH_AUTHORIZED_PARTIES: 'https://app.example.com',
  CORS_ORIGINS: 'https://app.example.com',
  API_DOMAIN: 'api.example.com',
  ACME_EMAIL: 'operations@example.com',
  SECRETS_DIR: '/var/lib/airlock/secrets',
  DOCKER_GID: '999',
};

/** The settings file of that host. */
export const sampleSettingsFile = Object.entries(sampleSettings)
  .filter(([name]) => name !== 'POSTGRES_PASSWORD')
  .map(([name, value]) => `${name}=${value}\n`)
  .join('');

export interface OverlayOptions {
  readonly settings?: Readonly<Record<string, string>>;
  /** Default: a name that occurs in no file, so that a name that is fixed in a file is detected. */
  readonly project?: string;
}

/** The model of the files under `root`, with all profiles. */
export function renderModel(root: string, overlay: Overlay, { settings, project }: OverlayOptions = {}): OverlayModel {
  const files = listOverlayFiles(overlay).flatMap((file) => ['--file', join(root, file)]);
  const name = ['--project-name', project ?? `rules-${overlay}`];
  const command = ['docker', 'compose', ...name, '--env-file', '/dev/null', '--profile', '*', ...files];
  const assignments = Object.entries(settings ?? sampleSettings).map(([key, value]) => `${key}=${value}`);
  // Compose gets only these variables of the shell, so that no other one can change the model.
  const clean = 'exec env -i PATH="$PATH" HOME="$HOME" "$@"';
  const args = ['-c', clean, 'sh', ...assignments, ...command, 'config', '--format', 'json'];
  const model = JSON.parse(execFileSync('sh', args, { encoding: 'utf8', stdio: 'pipe' })) as Omit<OverlayModel, 'root'>;
  return { ...model, root };
}
