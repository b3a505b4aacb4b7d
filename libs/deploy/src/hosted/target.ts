/** One call of another program. */
export interface Call {
  readonly command: readonly [program: string, ...args: string[]];
  readonly input?: string;
  /** Added to what the program inherits. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** For a call that asks: it is repeated until what it prints matches `done`, or `failed`, or the time is up. */
  readonly until?: { readonly done: RegExp; readonly failed: RegExp; readonly limitMs: number };
  /** Called for people where this one failed. */
  readonly explain?: Call;
}

export interface TargetRequest {
  readonly environment: string;
  /** registry/repository@sha256:… */
  readonly image: string;
  readonly digest: string;
  /** The values of the target's own options. */
  readonly options: Readonly<Record<string, string>>;
}

/**
 * A platform that runs the image: what it must be told, and the calls that migrate and then put the image there. The
 * platform itself keeps the old release until the new one is healthy; what was asked is judged by /version, never by
 * the exit codes of these calls alone.
 */
export interface HostedTarget {
  readonly name: string;
  /** What --option takes: name and meaning. A meaning that begins with «optional» may be left out. */
  readonly options: Readonly<Record<string, string>>;
  createCalls(request: TargetRequest): readonly Call[] | Promise<readonly Call[]>;
  /** For a platform that does not go back by itself. */
  readonly undo?: Undo;
}

/** What a failed deploy takes back: only what it rolled out, and only to what served before. */
export interface Undo {
  /** Prints the image that is set to serve, or nothing. Asked before the first call and after a failure. */
  readImage(request: TargetRequest): Call;
  /** Prints a line `REVISION IMAGE` for each release that the platform still holds. */
  readRevisions(request: TargetRequest): Call;
  goBack(request: TargetRequest, revision: string): Call;
}

/** The contract of every target, Swarm included. */
export interface TargetResult {
  readonly target: string;
  readonly env: string;
  readonly digest: string;
  readonly previousDigest: string | null;
  readonly url: string;
  readonly ok: boolean;
}

/** What every platform is told of the release besides its own settings. */
export const releaseVariables = ({ environment, digest }: TargetRequest): Readonly<Record<string, string>> => ({
  ENVIRONMENT: environment,
  IMAGE_DIGEST: digest,
});

/** A tag or revision name that a platform wants beside the digest. */
export const shortName = ({ digest }: TargetRequest): string =>
  `d${digest.slice('sha256:'.length, 'sha256:'.length + 12)}`;
