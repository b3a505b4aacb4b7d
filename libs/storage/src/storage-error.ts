/** Why an object cannot be stored or read. The message has no key, no secret and no text of a server. */
export class StorageError extends Error {
  override readonly name = 'StorageError';

  /** Of a command that fails with it. */
  readonly exitCode: number;

  /**
   * `missing`: there is no such object. `unavailable`: the server may succeed later. `refused`: it succeeds only after
   * an operator has changed the configuration.
   */
  constructor(
    readonly kind: 'missing' | 'unavailable' | 'refused',
    message: string,
    cause?: unknown,
  ) {
    super(message, { cause });
    this.exitCode = kind === 'refused' ? 3 : 1;
  }
}
