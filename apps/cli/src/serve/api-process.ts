import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { readProcessEnvironment, type EnvironmentVariables } from '@airlock/config';
import { ROOT } from './workspace.js';

const STOP_LIMIT_MS = 5000;
const PRELOADS = ['tools/typescript.mjs', 'apps/cli/src/serve/read-ahead.ts'].flatMap((path) => [
  '--import',
  join(ROOT, path),
]);

/** The API as a child process that is replaced on each edit. */
export class ApiProcess {
  readonly #mayBegin: Promise<object | undefined>;
  #child: ChildProcess | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #edits = 0;
  // Taken once, without what Nx copied from .env: an edit of that file must reach the next child.
  readonly #env = withNodeOptions(readProcessEnvironment());

  /** @param mayBegin what the API needs to begin; it reads its modules meanwhile, and never begins without */
  constructor(mayBegin: Promise<object | undefined>) {
    this.#mayBegin = mayBegin;
  }

  /** False where it has ended by itself, and waits for an edit. */
  get isRunning(): boolean {
    return this.#child?.exitCode === null && this.#child.signalCode === null;
  }

  /** @returns whether it serves; what keeps it from serving has been shown. A later edit makes an earlier one moot. */
  restart(): Promise<boolean> {
    this.#edits += 1;
    const edit = this.#edits;
    // Ended at once: one that waits for its database never becomes ready, and its turn would not pass.
    const ended = this.#end();
    const turn = this.#turn.then(() => ended).then(() => (edit === this.#edits ? this.#start() : false));
    this.#turn = turn;
    return turn;
  }

  async stop(): Promise<void> {
    this.#edits += 1;
    await this.#end();
  }

  async #start(): Promise<boolean> {
    const child = spawn(process.execPath, [...PRELOADS, 'apps/api/src/main.ts'], {
      cwd: ROOT,
      env: this.#env,
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    });
    this.#child = child;
    void this.#mayBegin.then((has) => has && child.connected && child.send('begin'));
    const complaint = collectUntilReady(child);
    const ended = once(child, 'exit').then(() => 'ended' as const);
    const ready = once(child, 'message').then(() => 'ready' as const);
    if ((await Promise.race([ready, ended])) === 'ready') {
      void ended.then(() => this.#reportEnd(child));
      return true;
    }
    if (this.#child === child)
      console.error(`${shorten(complaint())}\nThe API does not serve. Waiting for the next edit.`);
    return false;
  }

  /** An end that was not asked for. */
  #reportEnd(child: ChildProcess): void {
    if (this.#child !== child) return;
    console.error(
      `The API has ended (${child.signalCode ?? `exit code ${child.exitCode}`}). Waiting for the next edit.`,
    );
  }

  async #end(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
    await ended;
    clearTimeout(timer);
  }
}

/** `make dev` puts what is meant for the API alone, such as a debugger, into a variable of its own. */
function withNodeOptions(env: EnvironmentVariables): EnvironmentVariables {
  const { API_NODE_OPTIONS: ofApi, NODE_OPTIONS: ofAll = '', ...others } = env;
  return ofApi ? { ...others, NODE_OPTIONS: `${ofAll} ${ofApi}`.trim() } : env;
}

/** Holds back what the child writes to its standard error until it serves: if it never does, it is shown shortened. */
function collectUntilReady(child: ChildProcess): () => string {
  let text = '';
  let isReady = false;
  child.stderr?.on('data', (chunk: Buffer) => {
    // A debugger is told at once: the API may wait for it before it begins.
    if (isReady || /^(Debugger|For help|Waiting for the debugger)/.test(chunk.toString())) process.stderr.write(chunk);
    else text += chunk.toString();
  });
  child.once('message', () => {
    isReady = true;
    process.stderr.write(text);
  });
  return () => text;
}

/** The frames of a stack, and what Node adds around an error, help nobody who has just mistyped. */
function shorten(text: string): string {
  const noise = /^\s+at |^Node\.js v|^node:internal|^\s*throw |^\s*[{}]\s*$/;
  const lines = stripVTControlCharacters(text)
    .split('\n')
    .filter((line) => !noise.test(line));
  return lines
    .join('\n')
    .replaceAll(/\n{2,}/g, '\n')
    .trim();
}
