import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Secret, readProcessEnvironment } from '@airlock/config';
import { execute } from '../engine/docker.js';

export interface Credentials {
  readonly user: string;
  readonly password: Secret;
}

interface DockerConfig {
  readonly auths?: Readonly<Record<string, { readonly auth?: string }>>;
  readonly credHelpers?: Readonly<Record<string, string>>;
  readonly credsStore?: string;
}

/**
 * The credentials of `docker login`: from its file, or from the helper that its file names. Undefined means anonymous.
 */
export async function loadCredentials(registry: string): Promise<Credentials | undefined> {
  const folder = readProcessEnvironment()['DOCKER_CONFIG'] ?? join(homedir(), '.docker');
  const text = await readFile(join(folder, 'config.json'), 'utf8').catch(() => '{}');
  const config = JSON.parse(text) as DockerConfig;
  const helper = config.credHelpers?.[registry] ?? config.credsStore;
  return helper === undefined ? parseAuth(config.auths?.[registry]?.auth) : askHelper(helper, registry);
}

function parseAuth(auth: string | undefined): Credentials | undefined {
  if (auth === undefined) return undefined;
  const [user = '', ...password] = Buffer.from(auth, 'base64').toString('utf8').split(':');
  return { user, password: new Secret(password.join(':')) };
}

async function askHelper(helper: string, registry: string): Promise<Credentials | undefined> {
  const { status, stdout } = await execute(`docker-credential-${helper}`, ['get'], { input: registry });
  if (status !== 0) return undefined;
  const { Username: user, Secret: password } = JSON.parse(stdout) as { Username: string; Secret: string };
  return { user, password: new Secret(password) };
}
