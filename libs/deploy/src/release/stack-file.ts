import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHash } from 'node:crypto';
import { engineVariables } from '../engine/compose-model.js';
import type { Fields } from '../engine/model-fields.js';
import type { Docker } from '../engine/docker.js';
import type { Stack } from '../render/render-stack.js';
import { listServices } from '../engine/swarm.js';

/** Validates the stack with Docker's parser, without a daemon. Throws with the parser's message. */
export async function assertStackIsValid(docker: Docker, stack: Stack): Promise<void> {
  await withStackFile(stack, (file) =>
    docker.run(['stack', 'config', '--compose-file', file], { env: engineVariables() }),
  );
}

/**
 * Passes the stack to Swarm and returns at once. The exit code does not tell whether the rollout succeeds: watch it.
 */
export async function applyStack(docker: Docker, name: string, stack: Stack): Promise<void> {
  await withStackFile(stack, (file) =>
    docker.run(
      [
        'stack',
        'deploy',
        '--detach=true',
        '--with-registry-auth',
        '--resolve-image',
        'never',
        '--compose-file',
        file,
        name,
      ],
      { env: engineVariables(), timeoutMs: 120_000 },
    ),
  );
}

/**
 * Swarm keeps services that a stack no longer names running: old code that no rollout replaces and that no preflight
 * checks against the next contract.
 */
export async function removeSurplus(
  docker: Docker,
  name: string,
  { stack, note }: { stack: Stack; note: (text: string) => void },
): Promise<void> {
  const wanted = Object.keys(stack.services).map((service) => `${name}_${service}`);
  const surplus = (await listServices(docker, name)).filter((service) => !wanted.includes(service));
  if (surplus.length === 0) return;
  note(`${surplus.join(', ')}: removed, because the release does not contain it`);
  await docker.run(['service', 'rm', ...surplus]);
}

/** A hash of the configuration without the image: it differs if anything but the image changed. */
export function fingerprint(stack: Stack, image: string): string {
  const digest = image.split('@')[1] ?? image;
  const text = canonical(stack).replaceAll(image, 'IMAGE').replaceAll(digest, 'DIGEST');
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

async function withStackFile<T>(stack: Stack, use: (file: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'airlock-stack-'));
  try {
    const configs = await Promise.all(
      Object.entries(stack.configs).map(async ([name, config]) => [name, await withContentFile(folder, name, config)]),
    );
    const file = join(folder, 'stack.json');
    const content = JSON.stringify(
      { ...stack, configs: Object.fromEntries(configs) as Record<string, Fields> },
      null,
      2,
    );
    await writeFile(file, content, { mode: 0o600 });
    return await use(file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A stack file can only refer to the content of a config by path. */
async function withContentFile(folder: string, name: string, config: Fields): Promise<Fields> {
  const { 'x-content': content, ...rest } = config;
  if (typeof content !== 'string') return rest;
  const file = join(folder, `config-${name}`);
  await writeFile(file, content, { mode: 0o600 });
  return { ...rest, file };
}
