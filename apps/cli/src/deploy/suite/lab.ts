import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { createDocker, execute, type RunResult } from '../docker.js';
import type { DeploymentRecord } from '../record.js';

export const WORKSPACE = fileURLToPath(new URL('../../../../../', import.meta.url));
export const HERE = fileURLToPath(new URL('./', import.meta.url));
const COMMAND_TIMEOUT_MS = 400_000;

export const docker = createDocker();

export interface BuildOptions {
  readonly fault?: string;
  readonly commit?: string;
  readonly migrations?: readonly { name: string; phase: 'expand' | 'contract'; completes?: string }[];
}

/** A registry, images and stacks under one prefix; all of it is gone when the lab closes. */
export interface Lab {
  readonly prefix: string;
  readonly registry: string;
  readonly folder: string;
  /** Builds and pushes a stand-in; answers it by digest. */
  build(options?: BuildOptions): Promise<string>;
  /** Builds with these words and pushes; answers the image by digest. */
  push(words: readonly string[]): Promise<string>;
  /** A file of variables for Compose; answers its path. */
  writeEnv(variables: Record<string, string>): Promise<string>;
  createStack(variables?: Record<string, string>): Promise<LabStack>;
  close(): Promise<void>;
}

export interface LabStack {
  readonly name: string;
  readonly port: number;
  readonly url: string;
  readonly journal: string;
  /** Runs `airlock` with this stack's options added; answers whatever happened. */
  airlock(words: readonly string[], variables?: Record<string, string>): Promise<RunResult>;
  records(): Promise<DeploymentRecord[]>;
  /** What the proxy said: which replicas it took in and out, and when. */
  proxyLog(): Promise<string>;
  ledger(): Promise<{ distinct: number; more: number }>;
  options(variables?: Record<string, string>): Promise<string[]>;
  remove(): Promise<void>;
}

export async function openLab(): Promise<Lab> {
  const prefix = `airlock-suite-${randomBytes(3).toString('hex')}`;
  const folder = await mkdtemp(join(tmpdir(), `${prefix}-`));
  const initialised = await ensureSwarm();
  await docker.run(['build', '--quiet', '--tag', `${prefix}-proxy:suite`, join(WORKSPACE, 'docker/haproxy')], {
    timeoutMs: 300_000,
  });
  await docker.run(['run', '--detach', '--name', `${prefix}-registry`, '--publish', '127.0.0.1:0:5000', 'registry:2']);
  const registry = (await docker.run(['port', `${prefix}-registry`, '5000/tcp'])).trim().split('\n')[0] ?? '';
  await waitFor('the registry', () => fetch(`http://${registry}/v2/`).then(({ ok }) => ok));
  const stacks: LabStack[] = [];
  const lab: Lab = {
    prefix,
    registry,
    folder,
    writeEnv: (variables) => writeEnv(folder, variables),
    push: (words) => push(`${registry}/${prefix}`, words),
    build: (options = {}) => build(`${registry}/${prefix}`, options),
    async createStack(variables = {}) {
      const stack = await createStack({ prefix, folder, ledgerImage: await lab.build(), variables });
      stacks.push(stack);
      return stack;
    },
    async close() {
      for (const stack of stacks) await stack.remove();
      await docker.attempt(['rm', '--force', '--volumes', `${prefix}-registry`]);
      const images = await docker.attempt(['images', '--quiet', '--no-trunc', '--filter', `reference=*${prefix}*`]);
      const pushed = await docker.attempt(['images', '--quiet', '--no-trunc', '--filter', `reference=${registry}/*`]);
      const ids = [...new Set(`${images.stdout}${pushed.stdout}`.split('\n').filter(Boolean))];
      if (ids.length > 0) await docker.attempt(['rmi', '--force', ...ids]);
      await rm(folder, { recursive: true, force: true });
      if (initialised) await leaveSwarm();
    },
  };
  return lab;
}

function build(repository: string, { fault = 'none', commit, migrations = [] }: BuildOptions): Promise<string> {
  const values = {
    FAULT: fault,
    MIGRATIONS: JSON.stringify(migrations),
    COMMIT: commit ?? randomBytes(20).toString('hex'),
  };
  const args = Object.entries(values).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]);
  return push(repository, [...args, join(HERE, 'image')]);
}

async function push(repository: string, words: readonly string[]): Promise<string> {
  const tag = `${repository}:${randomBytes(4).toString('hex')}`;
  await docker.run(['build', '--quiet', '--provenance=false', '--tag', tag, ...words], { timeoutMs: 600_000 });
  const pushed = await docker.run(['push', tag], { timeoutMs: 300_000 });
  const digest = /digest: (sha256:[0-9a-f]{64})/.exec(pushed)?.[1];
  if (digest === undefined) throw new Error(`docker push said no digest: ${pushed}`);
  return `${repository}@${digest}`;
}

async function writeEnv(folder: string, variables: Record<string, string>): Promise<string> {
  const file = join(folder, `${randomBytes(4).toString('hex')}.env`);
  const lines = Object.entries(variables).map(([key, value]) => `${key}='${value}'\n`);
  await writeFile(file, lines.join(''));
  return file;
}

async function createStack(scene: {
  prefix: string;
  folder: string;
  ledgerImage: string;
  variables: Record<string, string>;
}): Promise<LabStack> {
  const { prefix, folder, ledgerImage, variables } = scene;
  const name = `${prefix}-${randomBytes(2).toString('hex')}`;
  const port = await findFreePort();
  const journal = join(folder, `${name}.jsonl`);
  const fixed = {
    SUITE_PORT: String(port),
    SUITE_LEDGER_IMAGE: ledgerImage,
    SUITE_PROXY_IMAGE: `${prefix}-proxy:suite`,
  };
  const options = async (more: Record<string, string> = {}) => {
    const file = await writeEnv(folder, { ...fixed, ...variables, ...more });
    return ['--file', join(HERE, 'compose.suite.yml'), '--env-file', file];
  };
  const stack: LabStack = {
    name,
    port,
    url: `http://127.0.0.1:${port}`,
    journal,
    options,
    async airlock([word = '', ...rest], more) {
      const renders = word === 'deploy' || word === 'promote';
      const changes = renders || word === 'rollback';
      return runAirlock([
        word,
        ...rest,
        ...['--stack', name],
        ...(changes ? ['--journal', journal] : []),
        ...(renders ? await options(more) : []),
      ]);
    },
    async records() {
      const { stdout } = await runAirlock(['status', 'staging', '--stack', name, '--records']);
      return stdout
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as DeploymentRecord);
    },
    async proxyLog() {
      const { stdout, stderr } = await docker.attempt(['service', 'logs', '--raw', '--timestamps', `${name}_proxy`]);
      return `${stdout}${stderr}`;
    },
    async ledger() {
      const response = await execInLedger(name);
      return JSON.parse(response) as { distinct: number; more: number };
    },
    remove: () => removeStack(name),
  };
  await docker.run(['secret', 'create', '--label', `airlock.secret.stack=${name}`, `${name}_secret_key_v1`, '-'], {
    input: 'suite',
  });
  return stack;
}

export function runAirlock(words: readonly string[], input?: string): Promise<RunResult> {
  return execute(join(WORKSPACE, 'node_modules/.bin/node'), [join(WORKSPACE, 'apps/cli/bin/airlock.js'), ...words], {
    timeoutMs: COMMAND_TIMEOUT_MS,
    ...(input === undefined ? {} : { input }),
  });
}

/** Starts `airlock` and does not wait, for those who want to meet it at work, or kill it. */
export function startAirlock(words: readonly string[]): { pid: number; ended: Promise<number>; output: () => string } {
  const child = spawn(join(WORKSPACE, 'node_modules/.bin/node'), [
    join(WORKSPACE, 'apps/cli/bin/airlock.js'),
    ...words,
  ]);
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stdout.resume();
  const ended = new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? 137)));
  return { pid: child.pid ?? 0, ended, output: () => output };
}

/** The ledger is on an internal network only, so it is asked from within. */
async function execInLedger(stack: string): Promise<string> {
  const id = (
    await docker.run(['ps', '--quiet', '--filter', `label=com.docker.swarm.service.name=${stack}_ledger`])
  ).trim();
  const script = "fetch('http://127.0.0.1:7000/posts').then(r=>r.text()).then(t=>console.log(t))";
  return docker.run(['exec', id, 'node', '-e', script]);
}

export async function removeStack(name: string): Promise<void> {
  await docker.attempt(['stack', 'rm', '--detach=false', name], { timeoutMs: 120_000 });
  await removeNamed('secret', name);
  await removeNamed('config', name);
  const { stdout } = await docker.attempt([
    'volume',
    'ls',
    '--quiet',
    '--filter',
    `label=com.docker.stack.namespace=${name}`,
  ]);
  const volumes = stdout.split('\n').filter(Boolean);
  if (volumes.length > 0) await docker.attempt(['volume', 'rm', '--force', ...volumes]);
}

async function removeNamed(kind: 'secret' | 'config', stack: string): Promise<void> {
  const { stdout } = await docker.attempt([kind, 'ls', '--format', '{{.Name}}']);
  const names = stdout.split('\n').filter((name) => name.startsWith(`${stack}_`));
  if (names.length > 0) await docker.attempt([kind, 'rm', ...names]);
}

async function ensureSwarm(): Promise<boolean> {
  const state = (await docker.run(['info', '--format', '{{.Swarm.LocalNodeState}}'])).trim();
  if (state === 'active') return false;
  await docker.run(['swarm', 'init', '--advertise-addr', '127.0.0.1']);
  return true;
}

/** Somebody else may have begun to use it in the meantime. */
async function leaveSwarm(): Promise<void> {
  const services = (await docker.run(['service', 'ls', '--quiet'])).trim();
  if (services === '') await docker.attempt(['swarm', 'leave', '--force']);
}

export async function findFreePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export async function waitFor(what: string, look: () => Promise<boolean>, limitMs = 60_000): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (performance.now() < deadline) {
    if (await look().catch(() => false)) return;
    await sleep(250);
  }
  throw new Error(`${what}: not there after ${limitMs / 1_000} s`);
}
