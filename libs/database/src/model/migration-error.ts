export class MigrationError extends Error {
  override name = 'MigrationError';
  /** Exit code of the command line. */
  readonly exitCode: number = 1;
}

/** Refused before anything was changed. */
export class MigrationRefusal extends MigrationError {
  override name = 'MigrationRefusal';
  override readonly exitCode = 3;
}
