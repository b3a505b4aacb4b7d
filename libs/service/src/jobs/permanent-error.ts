/** Thrown by a job that no repetition could help: it is a dead letter at once. */
export class PermanentError extends Error {
  override readonly name: string = 'PermanentError';
  readonly isPermanent = true;
}
