/** The database was not changed. */
export class AdoptionRefusal extends Error {
  override readonly name = 'AdoptionRefusal';
  readonly exitCode = 3;
}
