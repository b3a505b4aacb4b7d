/** A data folder that is not ours to use. Nothing in it was changed, and no process was signalled. */
export class FolderRefusal extends Error {
  override readonly name = 'FolderRefusal';
  readonly exitCode = 1;

  /** @param fix what to do, as a line of its own */
  constructor(path: string, problem: string, { expected, fix }: { expected: string; fix: string }) {
    super(`${path}: ${problem}; expected ${expected}\n${fix}`);
  }
}
