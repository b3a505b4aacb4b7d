/** One call of another program. */
export interface Call {
  readonly command: readonly [program: string, ...args: string[]];
  readonly input?: string;
  /** Added to the environment that the program inherits. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** For a polling call: repeated until its output matches `done` or `failed`, or the time limit. */
  readonly until?: { readonly done: RegExp; readonly failed: RegExp; readonly limitMs: number };
  /** A call whose output explains the failure of this one. */
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
 * A platform that runs the image: its options, and the calls that migrate and then deploy the image. The platform
 * itself keeps the old release until the new one is healthy. /version decides whether the deploy succeeded, never the
 * exit codes of these calls alone.
 */
export interface HostedTarget {
  readonly name: string;
  /** The names that --option accepts, with their meaning. A meaning that begins with "optional" may be left out. */
  readonly options: Readonly<Record<string, string>>;
  createCalls(request: TargetRequest): readonly Call[] | Promise<readonly Call[]>;
  /** For a platform that does not roll back by itself. */
  readonly undo?: Undo;
}

/** The calls that undo a failed rollout: only this deploy's release, and only to the release that served before. */
export interface Undo {
  /** Prints the image that is set to serve, or nothing. Called before the first call and after a failure. */
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

/** Variables of the release that every platform gets besides its own settings. */
export const releaseVariables = ({ environment, digest }: TargetRequest): Readonly<Record<string, string>> => ({
  ENVIRONMENT: environment,
  IMAGE_DIGEST: digest,
});

/** An option of every target. Off by default, also if the last deploy had it on. */
export const CALLBACK_OPTION = { callback: 'optional: on for teams with connected accounts, or off' };

export const hasCallback = ({ options }: Pick<TargetRequest, 'options'>): boolean => options['callback'] === 'on';

/** A tag or revision name, for platforms that require one besides the digest. */
export const shortName = ({ digest }: TargetRequest): string =>
  `d${digest.slice('sha256:'.length, 'sha256:'.length + 12)}`;
