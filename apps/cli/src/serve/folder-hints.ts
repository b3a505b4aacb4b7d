import { type FSWatcher, watch } from 'node:fs';
import { join } from 'node:path';

/** The error codes of a system that has reached its limit of watches. */
const LIMITS = ['ENOSPC', 'EMFILE', 'ENFILE', 'ENOMEM'];

/**
 * Triggers an early comparison of the files. One non-recursive watch for each folder: Node's recursive watch loses
 * files that are replaced and folders that are recreated. Nothing relies on a hint: without it an edit is found later.
 */
export class FolderHints {
  readonly #watchers = new Map<string, { watcher: FSWatcher; identity: string }>();
  readonly #root: string;
  readonly #onHint: () => void;
  readonly #onFailure: (code: string) => void;
  #isOff = false;

  /** @param onFailure called once, with the error code, if folders cannot be watched; no hint comes afterwards */
  constructor(root: string, { onHint, onFailure }: { onHint: () => void; onFailure: (code: string) => void }) {
    this.#root = root;
    this.#onHint = onHint;
    this.#onFailure = onFailure;
  }

  /** Watches these folders and no others. @returns whether a watch was added: earlier edits there gave no hint */
  follow(folders: ReadonlyMap<string, string>): boolean {
    for (const [folder, { identity }] of this.#watchers) if (folders.get(folder) !== identity) this.#drop(folder);
    const added = [...folders].filter(([folder]) => !this.#watchers.has(folder));
    return added.filter(([folder, identity]) => this.#add(folder, identity)).length > 0;
  }

  close(): void {
    for (const folder of [...this.#watchers.keys()]) this.#drop(folder);
  }

  #add(folder: string, identity: string): boolean {
    if (this.#isOff) return false;
    try {
      const watcher = watch(join(this.#root, folder), this.#onHint);
      watcher.on('error', (error) => this.#fail(folder, error));
      this.#watchers.set(folder, { watcher, identity });
      return true;
    } catch (error) {
      this.#fail(folder, error as Error);
      return false;
    }
  }

  /** A folder that was just removed or is not readable is not a failure: the next comparison handles it. */
  #fail(folder: string, error: NodeJS.ErrnoException): void {
    const { code = error.message } = error;
    this.#drop(folder);
    if (this.#isOff || !LIMITS.includes(code)) return;
    this.#isOff = true;
    this.close();
    this.#onFailure(code);
  }

  #drop(folder: string): void {
    this.#watchers.get(folder)?.watcher.close();
    this.#watchers.delete(folder);
  }
}
