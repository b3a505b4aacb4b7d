import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { watchFiles } from './watch-files.js';

const POLL_MS = 5;
const LIMIT_MS = 30_000;
const QUIET_MS = 500;
const FILES = {
  '.env': 'PORT=1',
  'package-lock.json': '{}',
  'tsconfig.base.json': '{}',
  'tools/swc-options.mjs': '',
  'apps/api/package.json': '{}',
  'apps/api/src/main.ts': 'main',
  'apps/api/src/http/server.ts': 'server',
  'libs/health/package.json': '{}',
  'libs/health/src/index.ts': 'index',
  'libs/health/src/probes/probe.ts': 'probe',
};

const COMMITTER = ['user.name=t', 'user.email=t@example.com', 'maintenance.auto=false'].flatMap((set) => ['-c', set]);

/** @returns a function that ends the watch */
export type Watch = (root: string, edits: string[]) => () => void | Promise<void>;

const watchHere: Watch = (root, edits) => watchFiles({ app: 'apps/api', root }, (paths) => edits.push(...paths));

/** A small Git workspace in its own folder, watched as `make dev` watches this one unless another way is passed. */
export class WatchedFolder {
  readonly root = mkdtempSync(join(tmpdir(), 'airlock-watch-'));
  readonly edits: string[] = [];
  readonly #close: ReturnType<Watch>;
  #saves = 0;

  constructor(watch = watchHere, files: Readonly<Record<string, string>> = {}) {
    for (const [path, text] of Object.entries({ ...FILES, ...files })) this.save(path, text);
    // Without the sample hooks and the maintenance after a commit, which take longer than the rest.
    this.run('git', 'init', '--quiet', '--template=');
    this.commit();
    this.#close = watch(this.root, this.edits);
  }

  async close(): Promise<void> {
    await this.#close();
    rmSync(this.root, { recursive: true, force: true });
  }

  at(path: string): string {
    return join(this.root, path);
  }

  /** Saves in place. */
  save(path: string, text = `save ${(this.#saves += 1)}`): void {
    mkdirSync(dirname(join(this.root, path)), { recursive: true });
    writeFileSync(join(this.root, path), text);
  }

  run(command: string, ...args: string[]): void {
    execFileSync(command, args, { cwd: this.root });
  }

  commit(): void {
    this.run('git', 'add', '--all');
    this.run('git', ...COMMITTER, 'commit', '--quiet', '--message', 'all');
  }

  /** @throws if the action does not report these paths as edited */
  async expectEdits(paths: readonly string[], change: () => void | Promise<void> | undefined): Promise<void> {
    this.edits.length = 0;
    await change();
    for (const start = Date.now(); !paths.every((path) => this.edits.includes(path)); await sleep(POLL_MS)) {
      if (Date.now() - start > LIMIT_MS)
        throw new Error(`only these were reported as edited: ${this.edits.join(', ')}`);
    }
  }

  /** The paths that are reported before the edit of another file is reported. */
  async listEditsBeside(change: () => void): Promise<string[]> {
    await this.expectEdits(['tools/marker.mjs'], async () => {
      change();
      await sleep(QUIET_MS);
      this.save('tools/marker.mjs');
    });
    return this.edits.filter((path) => path !== 'tools/marker.mjs');
  }
}
