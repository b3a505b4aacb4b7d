/** The command was called with words that make nothing; nothing was written. */
export class AuthoringRefusal extends Error {
  override readonly name = 'AuthoringRefusal';
  readonly exitCode = 2;
}
