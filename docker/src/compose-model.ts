import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

export const HOSTED = ['preview', 'staging', 'production'] as const;
export const OVERLAYS = ['development', 'testing', ...HOSTED] as const;
export type Overlay = (typeof OVERLAYS)[number];

/** What `docker compose config --format json` prints, as far as the rules read it. */
export interface Model {
  readonly name: string;
  readonly services: Readonly<Record<string, Service>>;
  readonly networks?: Readonly<Record<string, { name: string; internal?: boolean; external?: boolean }>>;
  readonly volumes?: Readonly<Record<string, { name: string; external?: boolean }>>;
  readonly secrets?: Readonly<Record<string, { file?: string; environment?: string }>>;
}

export interface Service {
  readonly image?: string;
  readonly build?: unknown;
  readonly pull_policy?: string;
  readonly user?: string;
  readonly init?: boolean;
  readonly read_only?: boolean;
  readonly privileged?: boolean;
  readonly network_mode?: string;
  readonly pid?: string;
  readonly ipc?: string;
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

const overlayFiles: Record<Overlay, string> = {
  development: 'compose.override.yml',
  testing: 'compose.test.yml',
  preview: 'compose.preview.yml',
  staging: 'compose.staging.yml',
  production: 'compose.production.yml',
};

/** Every file that says something about an environment, the one that has the last word first. */
export function sourceFiles(overlay: Overlay): readonly string[] {
  const extended = HOSTED.some((hosted) => hosted === overlay) ? ['docker/hosted.yml', 'docker/traefik/edge.yml'] : [];
  return [overlayFiles[overlay], ...extended, 'compose.yml'];
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

/** The model that the engine would run, profiles included, from the files under `root`. */
export function renderModel(root: string, overlay: Overlay, settings = sampleSettings): Model {
  const project = overlay === 'preview' ? 'airlock-preview-42' : `airlock-${overlay}`;
  const files = ['compose.yml', overlayFiles[overlay]].flatMap((file) => ['--file', join(root, file)]);
  const options = ['--project-directory', root, '--project-name', project, '--env-file', '/dev/null', '--profile', '*'];
  const command = ['docker', 'compose', ...options, ...files, 'config', '--format', 'json'];
  const assignments = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
  // Of the shell's variables only these reach Compose: no other may change what is judged.
  const clean = 'exec env -i PATH="$PATH" HOME="$HOME" "$@"';
  const out = execFileSync('sh', ['-c', clean, 'sh', ...assignments, ...command], { encoding: 'utf8', stdio: 'pipe' });
  return JSON.parse(out) as Model;
}
