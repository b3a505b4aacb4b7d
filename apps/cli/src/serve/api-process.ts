import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { readProcessEnvironment, type EnvironmentVariables } from '@airlock/config';
import { describeEnd, endChild, hasEnded } from './child-end.js';
import { API, ROOT } from './workspace.js';

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
  // Read once, without the variables that Nx copied from .env: an edit of that file must reach the next child.
  readonly #env = withNodeOptions(readProcessEnvironment());

  /** @param mayBegin resolves when the API may start. Meanwhile the child loads its modules. */
  constructor(mayBegin: Promise<object | undefined>) {
    this.#mayBegin = mayBegin;
  }

  /** False after the API has exited by itself. The next edit restarts it. */
  get isRunning(): boolean {
    return this.#child !== undefined && !hasEnded(this.#child);
  }

  /** @returns whether the API serves; if not, the error has been printed. A later edit replaces an earlier one. */
  restart(): Promise<boolean> {
    this.#edits += 1;
    const edit = this.#edits;
    // Killed at once: a child that waits for its database never becomes ready and would block this turn.
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
    const child = spawn(process.execPath, [...PRELOADS, `${API}/src/main.ts`], {
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
      console.error([shorten(complaint()), describeEnd('The API did not start', child)].filter(Boolean).join('\n'));
    return false;
  }

  /** Reports an unexpected exit. */
  #reportEnd(child: ChildProcess): void {
    if (this.#child === child) console.error(describeEnd('The API exited', child));
  }

  async #end(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child) await endChild(child);
  }
}

/** `make dev` passes options for the API only, such as a debugger, in a separate variable. */
function withNodeOptions(env: EnvironmentVariables): EnvironmentVariables {
  const { API_NODE_OPTIONS: ofApi, NODE_OPTIONS: ofAll = '', ...others } = env;
  return ofApi ? { ...others, NODE_OPTIONS: `${ofAll} ${ofApi}`.trim() } : env;
}

/** Buffers the child's standard error until the child serves. If it never does, the output is shown shortened. */
function collectUntilReady(child: ChildProcess): () => string {
  let text = '';
  let isReady = false;
  child.stderr?.on('data', (chunk: Buffer) => {
    // Debugger messages are shown at once: the API may wait for the debugger before it starts.
    if (isReady || /^(Debugger|For help|Waiting for the debugger)/.test(chunk.toString())) process.stderr.write(chunk);
    else text += chunk.toString();
  });
  child.once('message', () => {
    isReady = true;
    process.stderr.write(text);
  });
  return () => text;
}

/** Removes stack frames and Node's additions, which do not help with a typing error. */
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
