import type { Docker } from '../engine/docker.js';
import { parseLines } from '../engine/docker.js';
import { DeployError, EXIT } from '../engine/deploy-error.js';
import { SECRET_STACK_LABEL } from '../engine/swarm.js';

/** Adds a version of a secret. It is used from the next deploy on; earlier versions are kept for a rollback. */
export async function putSecret(
  docker: Docker,
  { stack, key, value }: { stack: string; key: string; value: string },
): Promise<SecretVersion> {
  assertUsable(key, value);
  const version =
    1 +
    Math.max(
      0,
      ...(await listSecretVersions(docker, stack)).filter((one) => one.key === key).map((one) => one.version),
    );
  const name = `${stack}_${key}_v${version}`;
  await docker.run(['secret', 'create', '--label', `${SECRET_STACK_LABEL}=${stack}`, name, '-'], { input: value });
  return { key, name, version };
}

export interface SecretVersion {
  readonly key: string;
  readonly name: string;
  readonly version: number;
}

export async function listSecretVersions(docker: Docker, stack: string): Promise<SecretVersion[]> {
  const text = await docker.run([
    'secret',
    'ls',
    '--format',
    'json',
    '--filter',
    `label=${SECRET_STACK_LABEL}=${stack}`,
  ]);
  return parseLines<{ Name: string }>(text)
    .flatMap(({ Name: name }) => {
      const [, key, version] = new RegExp(`^${stack}_(.+)_v(\\d+)$`).exec(name) ?? [];
      return key === undefined ? [] : [{ key, name, version: Number(version) }];
    })
    .sort((a, b) => (a.key === b.key ? a.version - b.version : a.key < b.key ? -1 : 1));
}

/** The newest version of each secret. Swarm secrets cannot change, so a new value is a new version. */
export async function loadSecretVersions(docker: Docker, stack: string): Promise<Record<string, string>> {
  return Object.fromEntries((await listSecretVersions(docker, stack)).map(({ key, name }) => [key, name]));
}

function assertUsable(key: string, value: string): void {
  const problem = !/^[a-z][a-z0-9_]{0,40}$/.test(key)
    ? `the name ${JSON.stringify(key)} is not valid; expected a-z, 0-9 and _, at most 41 characters, such as database_url`
    : value === ''
      ? `${key} is empty; expected the value on standard input`
      : undefined;
  if (problem === undefined) return;
  const fix = 'for example: openssl rand -hex 32 | airlock secret put staging secret_key';
  throw new DeployError({ text: `secret: ${problem}`, fix, exitCode: EXIT.usage });
}
