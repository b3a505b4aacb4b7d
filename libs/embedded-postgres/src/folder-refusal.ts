/** This workspace may not use a data folder. Nothing in it was changed, and no process was signalled. */
export class FolderRefusal extends Error {
  override readonly name = 'FolderRefusal';
  readonly exitCode = 1;

  /** @param fix the command or step that resolves it, as a separate line */
  constructor(path: string, problem: string, { expected, fix }: { expected: string; fix: string }) {
    super(`${path}: ${problem}; expected ${expected}\n${fix}`);
  }
}
