import { setTimeout as sleep } from 'node:timers/promises';
import { FolderHints } from './folder-hints.js';
import { listEdits, lookAtFiles, type Look } from './look-at-files.js';
import { describeProblem, describeWatchLimit } from './watch-problems.js';
import { ROOT } from './workspace.js';

/** How long the files must stay as they are: an editor writes one in several steps, and Git writes many. */
const SETTLE_MS = 30;
const BURST_LIMIT_MS = 2000;
const LOOK_EVERY_MS = 2000;
const LOOK_EVERY_WITHOUT_HINTS_MS = 250;

interface Files {
  /** False: only the .env files. */
  readonly sources: boolean;
  /** The workspace, unless given. */
  readonly root?: string;
}

/**
 * Calls back once for each burst of edits, with the paths. A look at the files decides: however they were saved, they
 * differ from the last look. File events only make the look come at once. @returns a function that ends the watch
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
    // The .env files are looked at in less time than a watch takes.
    this.#everyMs = what.sources ? LOOK_EVERY_MS : LOOK_EVERY_WITHOUT_HINTS_MS;
    if (!what.sources) return;
    const onHint = () => this.#wake.abort();
    this.#hints = new FolderHints(this.#root, { onHint, onFailure: (code) => this.#goOnWithoutHints(code) });
    this.#hints.follow(this.#seen.folders);
  }

  async run(): Promise<void> {
    while (!this.#isClosed) {
      // However many hints come, the time between two looks is longer than a look takes.
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

  /** Looks again until two agree: what the API reads afterwards is what was seen, or the next look differs. */
  async #lookUntilSettled(): Promise<Look> {
    let last = this.#seen;
    for (const start = Date.now(); ; await sleep(SETTLE_MS)) {
      const now = this.#look();
      // Before a folder was watched, nothing gave a hint of an edit in it.
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
