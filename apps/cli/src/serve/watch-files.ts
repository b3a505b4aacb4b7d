import { setTimeout as sleep } from 'node:timers/promises';
import { FolderHints } from './folder-hints.js';
import { listEdits, lookAtFiles, type Look } from './look-at-files.js';
import { describeProblem, describeWatchLimit } from './watch-problems.js';
import { ROOT } from './workspace.js';

/** How long the files must stay unchanged: an editor writes a file in several steps, and Git writes many files. */
const SETTLE_MS = 30;
const BURST_LIMIT_MS = 2000;
const LOOK_EVERY_MS = 2000;
const LOOK_EVERY_WITHOUT_HINTS_MS = 250;

interface Files {
  /** The project that is watched, with all libraries; undefined: only the .env files. */
  readonly app: string | undefined;
  /** Default: the workspace. */
  readonly root?: string;
}

/**
 * Calls back once for each burst of edits, with the paths. The files are compared with their last state, however they
 * were saved. File events only trigger an early comparison. @returns a function that ends the watch
 */
export function watchFiles(what: Files, onEdit: (paths: readonly string[]) => void): () => void {
  const watch = new Watch(what, onEdit);
  void watch.run();
  return () => watch.close();
}

class Watch {
  readonly #root: string;
  readonly #what: Files;
  readonly #onEdit: (paths: readonly string[]) => void;
  readonly #hints: FolderHints | undefined;
  #everyMs: number;
  #seen: Look;
  #wake = new AbortController();
  #isClosed = false;

  constructor(what: Files, onEdit: (paths: readonly string[]) => void) {
    this.#root = what.root ?? ROOT;
    this.#what = what;
    this.#onEdit = onEdit;
    this.#seen = this.#look();
    reportProblems(this.#seen);
    // Comparing the .env files is faster than watching them.
    this.#everyMs = what.app !== undefined ? LOOK_EVERY_MS : LOOK_EVERY_WITHOUT_HINTS_MS;
    if (what.app === undefined) return;
    const onHint = () => this.#wake.abort();
    this.#hints = new FolderHints(this.#root, { onHint, onFailure: (code) => this.#goOnWithoutHints(code) });
    this.#hints.follow(this.#seen.folders);
  }

  async run(): Promise<void> {
    while (!this.#isClosed) {
      // However many hints come, the pause between two comparisons is longer than a comparison.
      await sleep(SETTLE_MS);
      await sleepUnless(this.#wake.signal, this.#everyMs);
      this.#wake = new AbortController();
      const now = await this.#lookUntilSettled();
      if (this.#isClosed) return;
      reportProblems(now, this.#seen);
      const edits = listEdits(this.#seen, now);
      this.#seen = now;
      if (edits.length > 0) this.#onEdit(edits);
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#wake.abort();
    this.#hints?.close();
  }

  /** Repeats until two comparisons agree: the API then reads that state, or the next comparison finds a difference. */
  async #lookUntilSettled(): Promise<Look> {
    let last = this.#seen;
    for (const start = Date.now(); ; await sleep(SETTLE_MS)) {
      const now = this.#look();
      // A folder that was not watched yet gave no hint of an edit.
      const isWatched = !this.#hints?.follow(now.folders);
      const isSettled = isWatched && listEdits(last, now).length === 0;
      if (isSettled || Date.now() - start > BURST_LIMIT_MS) return now;
      last = now;
    }
  }

  #look(): Look {
    return lookAtFiles(this.#root, this.#what);
  }

  #goOnWithoutHints(code: string): void {
    this.#everyMs = LOOK_EVERY_WITHOUT_HINTS_MS;
    console.error(describeWatchLimit(code));
    this.#wake.abort();
  }
}

async function sleepUnless(signal: AbortSignal, ms: number): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}

function reportProblems({ problems }: Look, before?: Look): void {
  for (const [path, code] of problems)
    if (before?.problems.get(path) !== code) console.error(describeProblem(path, code));
}
