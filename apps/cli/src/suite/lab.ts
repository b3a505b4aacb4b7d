import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findFreePort } from '@airlock/config/testing';
import { readProcessEnvironment } from '@airlock/config';
import type { DeploymentRecord, EnvironmentStatus } from '@airlock/deploy';
import { execute, type RunResult } from '@airlock/deploy/testing';
import { createEdgeCertificate, type EdgeCertificate } from './edge.js';
import { docker, readRun, removeStack, WORKSPACE } from './run.js';

export const HERE = fileURLToPath(new URL('./', import.meta.url));
const COMMAND_TIMEOUT_MS = 400_000;
/** Of good images. */
const SHORT_SOAK = '2s';
const EDGE_FILES = [
  ...['compose.suite.yml', 'compose.edge.suite.yml'].map((name) => join(HERE, name)),
  join(WORKSPACE, 'docker/swarm.yml'),
  join(HERE, 'compose.edge-ports.suite.yml'),
];

export interface BuildOptions {
  readonly fault?: string;
  readonly commit?: string;
  readonly migrations?: readonly {
    readonly name: string;
    readonly phase: 'expand' | 'contract';
    readonly completes?: string;
    readonly rehearsal?: object;
  }[];
}

export interface Lab {
  readonly prefix: string;
  readonly registry: string;
  readonly folder: string;
  /** Builds and pushes a stand-in image; returns it by digest. */
  build(options?: BuildOptions): Promise<string>;
  /** Builds with these arguments and pushes; returns the image by digest. */
  push(words: readonly string[]): Promise<string>;
  /** A Git repository with one commit for each of these tags, for promotions. */
  createRepository(tags: readonly string[]): Promise<{ folder: string; commits: Readonly<Record<string, string>> }>;
  /** Writes a file of variables for Compose; returns its path. */
  writeEnv(variables: Record<string, string>): Promise<string>;
  createStack(variables?: Record<string, string>): Promise<LabStack>;
  /** Behind the real Traefik and its socket proxy, with the labels of docker/swarm.yml; its host name is localhost. */
  createEdgeStack(variables?: Record<string, string>): Promise<EdgeStack>;
  close(): Promise<void>;
}

export interface EdgeStack extends LabStack {
  readonly httpPort: number;
  /** The certificate for clients, and the variables that make a command trust it. */
  readonly ca: string;
  readonly env: Readonly<Record<string, string>>;
}

export interface LabStack {
  readonly name: string;
  readonly port: number;
  readonly url: string;
  readonly journal: string;
  /** The arguments of a command with the options of this stack. */
  words(words: readonly string[], variables?: Record<string, string>): Promise<string[]>;
  /** Runs the command; returns its result, also after a failure. */
  runCommand(words: readonly string[], variables?: Record<string, string>, around?: Surroundings): Promise<RunResult>;
  status(): Promise<EnvironmentStatus>;
  /** The digest that clients of the proxy get. */
  servedDigest(): Promise<string>;
  records(): Promise<DeploymentRecord[]>;
  /** The log of the proxy: the replicas that it added and removed, with times. */
  proxyLog(): Promise<string>;
  ledger(): Promise<{ distinct: number; more: number }>;
  remove(): Promise<void>;
}

/** Stacks and images of one test file, in the shared registry. Its stacks are removed when it closes. */
export async function openLab(ownRegistry?: string): Promise<Lab> {
  const { prefix, folder, registry: shared } = readRun();
  const registry = ownRegistry ?? shared;
  const repository = `${registry}/${prefix}-${randomBytes(3).toString('hex')}`;
  const ledgerImage = await build(repository, {});
  const stacks: LabStack[] = [];
  return {
    prefix,
    registry,
    folder,
    writeEnv: (variables) => writeEnv(folder, variables),
    createRepository: (tags) => createRepository(folder, tags),
    push: (words) => push(repository, words),
    build: (options = {}) => build(repository, options),
    async createStack(variables = {}) {
      const stack = await createStack(ledgerImage, variables);
      stacks.push(stack);
      return stack;
    },
    async createEdgeStack(variables = {}) {
      const certificate = await createEdgeCertificate();
      const httpPort = await findFreePort();
      const edge = { API_DOMAIN: 'localhost', SUITE_HTTP_PORT: String(httpPort), ...certificate.variables };
      const stack = await createStack(ledgerImage, { ...edge, ...variables }, certificate);
      stacks.push(stack);
      return { ...stack, httpPort, ca: certificate.pem, env: certificate.env };
    },
    async close() {
      await Promise.all(stacks.map((stack) => stack.remove()));
    },
  };
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
  if (digest === undefined) throw new Error(`docker push printed no digest: ${pushed}`);
  return `${repository}@${digest}`;
}

async function createRepository(parent: string, tags: readonly string[]) {
  const folder = await mkdtemp(join(parent, 'repository-'));
  const identity = ['-c', 'user.name=suite', '-c', 'user.email=suite@example.com'];
  const git = async (...words: string[]) => {
    const { status, stdout, stderr } = await execute('git', [...identity, ...words], { cwd: folder });
    if (status !== 0) throw new Error(`git ${words.join(' ')}: ${stderr}`);
    return stdout.trim();
  };
  await git('init', '--quiet');
  const commits: Record<string, string> = {};
  for (const tag of tags) {
    await git('commit', '--quiet', '--allow-empty', '--message', tag);
    await git('tag', tag);
    commits[tag] = await git('rev-parse', 'HEAD');
  }
  return { folder, commits };
}

async function writeEnv(folder: string, variables: Record<string, string>): Promise<string> {
  const file = join(folder, `${randomBytes(4).toString('hex')}.env`);
  const lines = Object.entries(variables).map(([key, value]) => `${key}='${value}'\n`);
  await writeFile(file, lines.join(''));
  return file;
}

async function createStack(
  ledgerImage: string,
  variables: Record<string, string>,
  edge?: EdgeCertificate,
): Promise<LabStack> {
  const { prefix, folder, proxyImage } = readRun();
  const name = `${prefix}-${randomBytes(2).toString('hex')}`;
  const port = await findFreePort();
  const journal = join(folder, `${name}.jsonl`);
  const fixed = {
    SUITE_PORT: String(port),
    SUITE_LEDGER_IMAGE: ledgerImage,
    SUITE_PROXY_IMAGE: proxyImage,
  };
  const files = edge ? EDGE_FILES : [join(HERE, 'compose.suite.yml')];
  const options = async (more: Record<string, string> = {}) => {
    const file = await writeEnv(folder, { ...fixed, ...variables, ...more });
    return [...files.flatMap((one) => ['--file', one]), '--env-file', file];
  };
  const stack: LabStack = {
    name,
    port,
    url: edge ? `https://localhost:${port}` : `http://127.0.0.1:${port}`,
    journal,
    async words([word = '', ...rest], more) {
      const renders = word === 'deploy' || word === 'promote';
      const changes = renders || word === 'rollback';
      return [
        word,
        ...rest,
        ...['--stack', name],
        ...(changes ? ['--journal', journal] : []),
        ...(changes && !rest.includes('--soak') ? ['--soak', SHORT_SOAK] : []),
        ...(renders ? await options(more) : []),
      ];
    },
    async runCommand(words, more, around) {
      return runAirlock(await stack.words(words, more), { ...around, env: { ...edge?.env, ...around?.env } });
    },
    async status() {
      const { stdout } = await runAirlock(['status', 'staging', '--stack', name, '--json']);
      return JSON.parse(stdout) as EnvironmentStatus;
    },
    async servedDigest() {
      return ((await (await fetch(`${stack.url}/version`)).json()) as { digest: string }).digest;
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

const NODE = join(WORKSPACE, 'node_modules/.bin/node');
const AIRLOCK = join(WORKSPACE, 'apps/cli/bin/airlock.js');

export interface Surroundings {
  readonly input?: string;
  readonly cwd?: string;
  /** Added to the environment of the command. */
  readonly env?: Readonly<Record<string, string>>;
}

export function runAirlock(words: readonly string[], { env, ...more }: Surroundings = {}): Promise<RunResult> {
  const options = { timeoutMs: COMMAND_TIMEOUT_MS, env: { ...readProcessEnvironment(), ...env }, ...more };
  return execute(NODE, [AIRLOCK, ...words], options);
}

export interface Running {
  readonly ended: Promise<number>;
  readonly output: () => string;
  /** Kills the process at once, like a power failure. */
  readonly kill: () => void;
  /** Interrupts the process as Ctrl-C does. */
  readonly interrupt: () => void;
}

/** Starts `airlock` without waiting, for tests that run beside it or kill it. */
export function startAirlock(words: readonly string[], { env, cwd }: Surroundings = {}): Running {
  const child = spawn(NODE, [AIRLOCK, ...words], { cwd, env: { ...readProcessEnvironment(), ...env } });
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stdout.resume();
  const ended = new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? 137)));
  return {
    ended,
    output: () => output,
    kill: () => child.kill('SIGKILL'),
    interrupt: () => child.kill('SIGINT'),
  };
}

/** The ledger is on an internal network only, so it is read from inside its container. */
async function execInLedger(stack: string): Promise<string> {
  const id = (
    await docker.run(['ps', '--quiet', '--filter', `label=com.docker.swarm.service.name=${stack}_ledger`])
  ).trim();
  const script = "fetch('http://127.0.0.1:7000/posts').then(r=>r.text()).then(t=>console.log(t))";
  return docker.run(['exec', id, 'node', '-e', script]);
}
