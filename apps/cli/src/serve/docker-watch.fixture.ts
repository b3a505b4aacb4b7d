import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ROOT } from './workspace.js';

const POLL_MS = 10;
const LIMIT_MS = 30_000;

/** docker/watch.mjs without a container. The workspace has its own `tools/typescript.mjs` and `apps/api/src/main.ts`. */
export class DockerWatch {
  output = '';
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;

  /** @param edits receives the first path of each burst of edits */
  constructor(root: string, edits: string[]) {
    this.#child = spawn(process.execPath, [join(ROOT, 'docker/watch.mjs')], {
      cwd: root,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#ended = once(this.#child, 'close');
    let seen = 0;
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.output += chunk.toString();
        const paths = [...this.output.matchAll(/^edited (\S+).*\n/gm)].map(([, path = '']) => path);
        edits.push(...paths.slice(seen));
        seen = paths.length;
      });
    }
  }

  /** The API that runs, which prints its pid. */
  get api(): number {
    return Number([...this.output.matchAll(/^api (\d+)$/gm)].at(-1)?.[1]);
  }

  async until(pattern: RegExp): Promise<void> {
    for (const start = Date.now(); !pattern.test(this.output); await sleep(POLL_MS)) {
      if (this.#hasEnded || Date.now() - start > LIMIT_MS) throw new Error(`${pattern}: not printed\n${this.output}`);
    }
  }

  /** @returns its exit code, once its API has ended too */
  async stop(...signals: readonly NodeJS.Signals[]): Promise<number | null> {
    for (const signal of signals) {
      this.#child.kill(signal);
      await sleep(POLL_MS);
    }
    await this.#ended;
    return this.#child.exitCode;
  }

  /** Kills it with its API. */
  async close(): Promise<void> {
    try {
      process.kill(-(this.#child.pid ?? 0), 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
    await this.#ended;
  }

  get #hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }
}
