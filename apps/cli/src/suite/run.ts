import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { readProcessEnvironment } from '@airlock/config';
import { createDocker } from '@airlock/deploy/testing';
import { findEdgeImages, NO_EDGE, type EdgeImages } from './edge-images.js';

/** Shared by all files of one run: a registry, the image of the proxy, and the prefix of every name. */
export interface Run {
  readonly prefix: string;
  readonly registry: string;
  readonly proxyImage: string;
  /** Undefined if the engine has no image of Traefik. */
  readonly edge?: EdgeImages | undefined;
  readonly folder: string;
}

export const WORKSPACE = fileURLToPath(new URL('../../../../', import.meta.url));
export const docker = createDocker();

/** The run of CI on each change, with fewer requests. */
export const isQuick = readProcessEnvironment()['AIRLOCK_SUITE']?.startsWith('quick') ?? false;

const VARIABLE = 'AIRLOCK_SUITE_RUN';
const LABEL = 'airlock.suite';

/** Runs before the first file. First removes the leftovers of interrupted runs, which are found by their registry. */
export async function startRun(): Promise<Record<string, string>> {
  await docker.run(['info']);
  for (const { prefix, pid, madeSwarm } of await listRuns()) {
    if (!existsSync(`/proc/${pid}`)) await removeTraces(prefix, madeSwarm);
  }
  const prefix = `airlock-suite-${randomBytes(3).toString('hex')}`;
  const madeSwarm = await ensureSwarm();
  const labels = { pid: String(process.pid), swarm: String(madeSwarm) };
  const words = Object.entries(labels).flatMap(([name, value]) => ['--label', `${LABEL}.${name}=${value}`]);
  const name = `${prefix}-registry`;
  await docker.run(['run', '--detach', '--name', name, ...words, '--publish', '127.0.0.1:0:5000', 'registry:2']);
  const proxyImage = `${prefix}-proxy:suite`;
  await docker.run(['build', '--quiet', '--tag', proxyImage, join(WORKSPACE, 'docker/haproxy')], {
    timeoutMs: 600_000,
  });
  const registry = (await docker.run(['port', name, '5000/tcp'])).trim().split('\n')[0] ?? '';
  await waitForRegistry(registry);
  const folder = await mkdtemp(join(tmpdir(), `${prefix}-`));
  const edge = await findEdgeImages(docker, WORKSPACE);
  if (!edge) process.stderr.write(`\n${NO_EDGE}\n`);
  return { [VARIABLE]: JSON.stringify({ prefix, registry, proxyImage, folder, edge } satisfies Run) };
}

export function readRun(): Run {
  return JSON.parse(readProcessEnvironment()[VARIABLE] ?? '{}') as Run;
}

/** Runs after the last file, also after failures. Leftovers fail the run. */
export async function endRun(): Promise<void> {
  const { prefix } = readRun();
  const run = (await listRuns()).find((one) => one.prefix === prefix);
  await removeTraces(prefix, run?.madeSwarm ?? false);
  await rm(readRun().folder, { recursive: true, force: true });
  const left = await listTraces(prefix);
  if (left.length > 0) throw new Error(`the suite left behind: ${left.join(', ')}; expected nothing`);
}

/** Does not wait for the replicas to drain, because they have no clients. */
export async function removeStack(name: string): Promise<void> {
  await docker.attempt(['stack', 'rm', name], { timeoutMs: 120_000 });
  const label = ['--filter', `label=com.docker.stack.namespace=${name}`];
  const isGone = async () => {
    const containers = await list(['ps', '--all', ...label], name);
    await removeAll(['rm', '--force', '--volumes'], containers);
    const networks = await list(['network', 'ls', ...label], name);
    return containers.length === 0 && networks.length === 0;
  };
  await waitFor(`the removal of ${name}`, isGone).catch(() => undefined);
  for (const kind of ['secret', 'config'] as const) await removeAll([kind, 'rm'], await list([kind, 'ls'], name));
  await removeAll(['volume', 'rm', '--force'], await list(['volume', 'ls'], name));
}

/** The scratch stacks of a deploy's jobs; none after its end. */
export function listScratchStacks(stack: string): Promise<string[]> {
  return list(['stack', 'ls'], `${stack}-job-`);
}

/** Removes everything with the prefix. The registry is removed last, because the leftovers are found by it. */
async function removeTraces(prefix: string, madeSwarm: boolean): Promise<void> {
  const projects = (await list(['volume', 'ls'], prefix)).filter((name) => name.endsWith('_life'));
  for (const stack of await list(['stack', 'ls'], prefix)) await removeStack(stack);
  const containers = await list(['ps', '--all'], prefix);
  await removeAll(
    ['rm', '--force', '--volumes'],
    containers.filter((name) => name !== `${prefix}-registry`),
  );
  for (const kind of ['secret', 'config'] as const) await removeAll([kind, 'rm'], await list([kind, 'ls'], prefix));
  for (const kind of ['network', 'volume'] as const) await removeAll([kind, 'rm'], await list([kind, 'ls'], prefix));
  await removeAll(['volume', 'rm', '--force'], projects);
  await removeAll(['rmi', '--force'], await listImages(prefix));
  await docker.attempt(['rm', '--force', '--volumes', `${prefix}-registry`]);
  if (madeSwarm) await leaveSwarm();
}

async function listTraces(prefix: string): Promise<string[]> {
  const kinds = [
    ['ps', '--all'],
    ['network', 'ls'],
    ['volume', 'ls'],
  ];
  return [...(await Promise.all(kinds.map((words) => list(words, prefix)))).flat(), ...(await listImages(prefix))];
}

/** The names with this prefix; none if the engine lacks such objects, as without a swarm. */
async function list(words: readonly string[], prefix: string): Promise<string[]> {
  const format = words[0] === 'ps' ? '{{.Names}}' : '{{.Name}}';
  const { stdout } = await docker.attempt([...words, '--format', format]);
  return stdout.split('\n').filter((name) => name.startsWith(prefix));
}

/** Removes by name: another run may use the same image under another name. */
async function listImages(prefix: string): Promise<string[]> {
  const format = '{{.Repository}} {{.Tag}} {{.Digest}}';
  const text = await docker.run(['images', '--digests', '--format', format]);
  return text
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([repository = '']) => repository.split('/').some((part) => part.startsWith(prefix)))
    .flatMap(([repository = '', tag = '', digest = '']) => [
      ...(tag === '<none>' ? [] : [`${repository}:${tag}`]),
      ...(digest === '<none>' ? [] : [`${repository}@${digest}`]),
    ]);
}

async function removeAll(words: readonly string[], names: readonly string[]): Promise<void> {
  if (names.length > 0) await docker.attempt([...words, ...names], { timeoutMs: 120_000 });
}

async function listRuns(): Promise<{ prefix: string; pid: string; madeSwarm: boolean }[]> {
  const format = `{{.Names}} {{.Label "${LABEL}.pid"}} {{.Label "${LABEL}.swarm"}}`;
  const text = await docker.run(['ps', '--all', '--filter', `label=${LABEL}.pid`, '--format', format]);
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => line.split(' '))
    .map(([name = '', pid = '', swarm]) => ({
      prefix: name.replace(/-registry$/, ''),
      pid,
      madeSwarm: swarm === 'true',
    }));
}

async function ensureSwarm(): Promise<boolean> {
  const state = (await docker.run(['info', '--format', '{{.Swarm.LocalNodeState}}'])).trim();
  if (state === 'active') return false;
  await docker.run(['swarm', 'init', '--advertise-addr', '127.0.0.1']);
  return true;
}

/** Another user of the engine may have started to use the swarm in the meantime. */
async function leaveSwarm(): Promise<void> {
  const others = [
    await list(['service', 'ls'], ''),
    await list(['secret', 'ls'], ''),
    await list(['config', 'ls'], ''),
  ];
  if (others.flat().every((name) => name === '')) await docker.attempt(['swarm', 'leave', '--force']);
}

export async function waitForRegistry(address: string): Promise<void> {
  await waitFor('the registry', () => fetch(`http://${address}/v2/`).then(({ ok }) => ok));
}

export async function waitFor(what: string, look: () => Promise<boolean>, limitMs = 60_000): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (performance.now() < deadline) {
    if (await look().catch(() => false)) return;
    await sleep(250);
  }
  throw new Error(`${what}: timed out after ${limitMs / 1_000} s`);
}
