/**
 * The reason why the process does not start, and the fix. It is shown without a stack, which would not help an
 * operator.
 */
export class StartRefusal extends Error {
  override readonly name = 'StartRefusal';
}
