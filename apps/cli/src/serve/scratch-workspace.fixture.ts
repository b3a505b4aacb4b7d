import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findFreePorts } from '@airlock/config/testing';
import { identifyProcess } from '@airlock/embedded-postgres';
import { ROOT } from './workspace.js';

const POLL_MS = 20;
const LIMIT_MS = 60_000;
const SETTLE_MS = 500;
const COPIED = ['apps', 'libs', 'tools', 'package.json', 'tsconfig.base.json', '.node-version', '.env.example'];
const NOT_COPIED = ['node_modules', 'dist'];

/** Type-checking the whole API takes a minute on a busy machine, after each edit. */
const TYPES_OF_ONE_FILE = {
  compilerOptions: { noEmit: true, strict: true, types: [], lib: ['es5'] },
  files: ['src/typed.ts'],
};

/** Starts both commands as Nx does, with .env exported. Its file name makes it look like make, nx or npm. */
const RUNNER = 'nx.mjs';
const RUNNER_SOURCE = `
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
const ofNx = { NX_TASK_TARGET_PROJECT: 'api', NX_WORKSPACE_ROOT: process.cwd() };
const env = { ...parseEnv(readFileSync('.env', 'utf8')), ...process.env, ...ofNx };
for (const command of [['db', 'serve'], ['serve']]) {
  spawn(process.execPath, ['apps/cli/bin/airlock.js', ...command], { stdio: 'inherit', env });
}
`;

interface Ports {
  readonly port: number;
  readonly managementPort: number;
  readonly databasePort: number;
}

/** A copy of this workspace's sources in its own folder, with its own ports, that tests may edit and serve. */
export class ScratchWorkspace {
  readonly root: string;
  readonly port: number;
  readonly managementPort: number;
  readonly databasePort: number;
  output = '';

  private constructor(root: string, { port, managementPort, databasePort }: Ports) {
    this.root = root;
    this.port = port;
    this.managementPort = managementPort;
    this.databasePort = databasePort;
  }

  static async create(): Promise<ScratchWorkspace> {
    const root = mkdtempSync(join(tmpdir(), 'airlock-serve-'));
    for (const name of COPIED) {
      const filter = (path: string) => !NOT_COPIED.includes(basename(path));
      cpSync(join(ROOT, name), join(root, name), { recursive: true, filter });
    }
    linkPackages(root);
    writeFileSync(join(root, 'apps/api/tsconfig.json'), JSON.stringify(TYPES_OF_ONE_FILE));
    writeFileSync(join(root, 'apps/api/src/typed.ts'), 'export const count: number = 1;\n');
    writeFileSync(join(root, RUNNER), RUNNER_SOURCE);
    const [port = 0, managementPort = 0, databasePort = 0] = await findFreePorts(3);
    const example = readFileSync(join(root, '.env.example'), 'utf8').replaceAll(':15432/', `:${databasePort}/`);
    writeFileSync(join(root, '.env'), `${example}\nPORT=${port}\nMANAGEMENT_PORT=${managementPort}\n`);
    return new ScratchWorkspace(root, { port, managementPort, databasePort });
  }

  /**
   * Starts the database and the API, and waits until the API has settled. @returns the pid of the process that started
   * them
   */
  async start(): Promise<number> {
    const pid = this.launch();
    await this.settle();
    return pid;
  }

  /** Starts them without waiting. */
  launch(): number {
    this.output = '';
    return this.#spawn([RUNNER]).pid ?? 0;
  }

  async stop(): Promise<void> {
    const left = this.listProcesses();
    for (const pid of left) endIfAlive(pid);
    await this.until(() => left.every((pid) => identifyProcess(pid) === undefined));
  }

  async remove(): Promise<void> {
    await rm(this.root, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }

  /** Runs `airlock` here and waits for its exit. */
  async run(...args: string[]): Promise<{ code: number | null; stderr: string }> {
    const child = spawn(process.execPath, ['apps/cli/bin/airlock.js', ...args], {
      ...this.#surroundings(),
      stdio: 'pipe',
    });
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    await once(child, 'close');
    return { code: child.exitCode, stderr };
  }

  /** Edits a file, runs the test, and restores the content. */
  async withEdit(path: string, edit: (source: string) => string, use: () => Promise<void>): Promise<void> {
    const source = readFileSync(join(this.root, path), 'utf8');
    this.edit(path, edit);
    try {
      await use();
    } finally {
      writeFileSync(join(this.root, path), source);
      await this.settle();
    }
  }

  edit(path: string, edit: (source: string) => string): void {
    writeFileSync(join(this.root, path), edit(readFileSync(join(this.root, path), 'utf8')));
  }

  /** Saves as some editors do: a new file replaces the old one. */
  replace(path: string, edit: (source: string) => string): void {
    const file = join(this.root, path);
    writeFileSync(`${file}.new~`, edit(readFileSync(file, 'utf8')));
    renameSync(`${file}.new~`, file);
  }

  /** On a busy machine one edit may be reported as two, and the second restart would disturb the next test. */
  async settle(): Promise<void> {
    await this.until(async () => {
      const before = this.findApi();
      await sleep(SETTLE_MS);
      const isServing = (await this.get('/readyz')) !== undefined && before === this.findApi();
      return isServing && ((await this.get('/version'))?.includes('"airlock-api"') ?? false);
    });
  }

  async get(path: string): Promise<string | undefined> {
    try {
      const answer = await fetch(`http://127.0.0.1:${this.port}${path}`, { headers: { connection: 'close' } });
      return answer.ok ? await answer.text() : undefined;
    } catch {
      return undefined;
    }
  }

  async until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
    for (const start = Date.now(); Date.now() - start < LIMIT_MS; await sleep(POLL_MS)) if (await isTrue()) return;
    throw new Error(`timed out after ${LIMIT_MS / 1000} s; the output is\n${this.output}`);
  }

  /** The pid of the API itself, not of the process that restarts it. */
  findApi(): number | undefined {
    return this.findProcess('apps/api/src/main.ts');
  }

  /** @param end of one of its arguments */
  findProcess(end: string): number | undefined {
    return this.listProcesses().find((pid) => readArguments(pid).some((argument) => argument.endsWith(end)));
  }

  /** All processes whose working directory is this folder or below. */
  listProcesses(): number[] {
    const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
    return pids.map(Number).filter((pid) => readArguments(pid).length > 0 && readFolder(pid).startsWith(this.root));
  }

  #spawn(args: string[]): ChildProcess {
    const child = spawn(process.execPath, args, { ...this.#surroundings(), stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    }
    return child;
  }

  #surroundings() {
    return { cwd: this.root, env: { PATH: '/usr/bin:/bin' } };
  }
}

/** A process may exit while the others are signalled. */
function endIfAlive(pid: number): void {
  try {
    process.kill(pid, 'SIGTERM');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** The packages of this workspace, and the projects of the copy. */
function linkPackages(root: string): void {
  const [from, to] = [join(ROOT, 'node_modules'), join(root, 'node_modules')];
  mkdirSync(join(to, '.cache'), { recursive: true });
  for (const name of readdirSync(from)) {
    if (name === '@airlock') cpSync(join(from, name), join(to, name), { recursive: true, verbatimSymlinks: true });
    else if (name !== '.cache') symlinkSync(join(from, name), join(to, name));
  }
  const nested = 'apps/api/node_modules';
  if (existsSync(join(ROOT, nested))) symlinkSync(join(ROOT, nested), join(root, nested));
}

function readArguments(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').filter(Boolean);
  } catch {
    return [];
  }
}

function readFolder(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return '';
  }
}
