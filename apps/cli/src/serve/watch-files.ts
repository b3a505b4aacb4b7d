import { setTimeout as sleep } from 'node:timers/promises';
import { FolderHints } from './folder-hints.js';
import { listEdits, lookAtFiles, lookUntilSettled, type Look } from './look-at-files.js';
import { describeWatchLimit, reportProblems } from './watch-problems.js';
import { ROOT } from './workspace.js';

const PAUSE_MS = 30;
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
    reportProblems(this.#seen.problems, {});
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
      await sleep(PAUSE_MS);
      await sleepUnless(this.#wake.signal, this.#everyMs);
      this.#wake = new AbortController();
      const now = await this.#lookUntilSettled();
      if (this.#isClosed) return;
      reportProblems(now.problems, { before: this.#seen.problems });
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

  #lookUntilSettled(): Promise<Look> {
    // A folder that was not watched yet gave no hint of an edit.
    const isWatched = (now: Look) => !this.#hints?.follow(now.folders);
    return lookUntilSettled(() => this.#look(), this.#seen, isWatched);
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
