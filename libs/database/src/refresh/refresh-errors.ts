/** The reasons for which a refresh does not start. Nothing was changed. */
export type RefusalReason =
  | 'TargetTakesNoCopies'
  | 'TargetIsUnknown'
  | 'SourceIsUnknown'
  | 'SourceFeedsNoCopies'
  | 'SourceIsOriginal'
  | 'SourceIsUnreadable'
  | 'SourceIsTarget'
  | 'SourceIsEmpty'
  | 'SourceHasOtherSchema'
  | 'UnfitClasses'
  | 'AnotherRefreshRuns'
  | 'NameIsTaken';

export class RefreshRefusal extends Error {
  override readonly name = 'RefreshRefusal';
  readonly exitCode = 3;

  constructor(
    readonly reason: RefusalReason,
    message: string,
  ) {
    super(`${message} [${reason}]`);
  }
}

export type FailureReason =
  'SourceWasLost' | 'MaskFailed' | 'CopyFailed' | 'LeakFound' | 'SchemaChanged' | 'SwapFailed';

/** The target still serves its old rows, and the next run removes what this one left. */
export class RefreshFailure extends Error {
  override readonly name = 'RefreshFailure';
  readonly exitCode = 1;

  constructor(
    readonly reason: FailureReason,
    message: string,
    options?: ErrorOptions,
  ) {
    super(`${message} [${reason}]`, options);
  }
}
