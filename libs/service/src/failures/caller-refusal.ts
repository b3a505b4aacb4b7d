/**
 * Why a caller was rejected. Holds only names and numbers, no part of a token, a header or a body, so that it may be logged
 * in every environment.
 */
export abstract class CallerRefusal<Reason extends string = string> extends Error {
  constructor(
    readonly reason: Reason,
    /** The claim or header parameter that was checked. */
    readonly claim?: string,
    readonly seconds?: number,
  ) {
    super(claim === undefined ? reason : `${reason}: ${claim}`);
  }
}
