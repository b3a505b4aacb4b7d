import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Config } from '@airlock/config';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const TYPESCRIPT = path('../../../../tools/typescript.mjs');

export interface AppProcessOptions {
  readonly config: Config;
  readonly env?: Readonly<Record<string, string>>;
  /** A command that runs the command behind it, such as `unshare`. */
  readonly wrapper?: readonly string[];
  /** The project to start. */
  readonly folder: string;
  /** Of main.ts. */
  readonly args?: readonly string[];
}

/** An app in its own process, started like `nx serve` and an image do: main.ts, an environment, signals. */
export class AppProcess {
  readonly lines: Record<string, unknown>[] = [];
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  readonly #child: ChildProcess;
  #waiting: (() => void)[] = [];

  /** Waits until the app serves or works, waits for its database, or has exited. */
  static async start<Options, App extends AppProcess>(
    this: new (options: Options) => App,
    options: Options,
  ): Promise<App> {
    const app = new this(options);
    const events = ['listening', 'working', 'database.awaited'].map(app.waitFor);
    await Promise.race([...events, app.exited]);
    return app;
  }

  constructor({ config, env = {}, wrapper = [], folder, args: own = [] }: AppProcessOptions) {
    const main = join(folder, 'src/main.ts');
    const [command = '', ...args] = [...wrapper, process.execPath, '--import', TYPESCRIPT, main, ...own];
    this.#child = spawn(command, args, {
      cwd: folder,
      env: { ...createEnvironment(config), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream) createInterface({ input: stream }).on('line', (line) => this.#note(line));
    }
    this.exited = new Promise((resolve) => this.#child.once('close', (code, signal) => resolve({ code, signal })));
  }

  get url(): string {
    return String(this.lines.find(({ url }) => url !== undefined)?.['url']);
  }

  /** The process of the app itself, also if it runs behind a wrapper. */
  get pid(): number {
    const pid = this.#child.pid ?? 0;
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    return this.#child.spawnfile === process.execPath ? pid : Number(children);
  }

  signal(name: NodeJS.Signals): void {
    process.kill(this.pid, name);
  }

  readonly waitFor = async (event: string): Promise<void> => {
    while (!this.lines.some((line) => line['event'] === event)) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  };

  /** Kills the process at the end of a test, if it still runs. */
  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill('SIGKILL');
    await this.exited;
  }

  #note(line: string): void {
    this.lines.push(parseLine(line));
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** Lines that are not valid JSON count as text, because an exception here would stall the stream. */
function parseLine(line: string): Record<string, unknown> {
  try {
    if (line.startsWith('{')) return JSON.parse(line) as Record<string, unknown>;
  } catch {
    // Handled as text below.
  }
  return { event: 'text', line };
}

function createEnvironment({ database, auth }: Config): Record<string, string> {
  const { user, password, host, port, database: name } = database.app;
  return {
    PATH: '/usr/bin:/bin',
    ENVIRONMENT: 'testing',
    DATABASE_URL: `postgres://${user}:${password.reveal()}@${host}:${port}/${name}`,
    PORT: '0',
    MANAGEMENT_PORT: '0',
    LOG_LEVEL: 'info',
    ...(auth.issuer && { AUTH_ISSUER: auth.issuer }),
    ...(auth.jwksUrl && { AUTH_JWKS_URL: auth.jwksUrl }),
    ...(auth.authorizedParties.length > 0 && { AUTH_AUTHORIZED_PARTIES: auth.authorizedParties.join(',') }),
  };
}
