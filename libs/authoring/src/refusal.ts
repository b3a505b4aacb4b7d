/** The arguments of the command are invalid, and nothing was written. */
export class AuthoringRefusal extends Error {
  override readonly name = 'AuthoringRefusal';
  readonly exitCode = 2;
}
