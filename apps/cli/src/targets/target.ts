/** One call of another program. */
export interface Call {
  readonly command: readonly [program: string, ...args: string[]];
  readonly input?: string;
  /** Added to what the program inherits. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
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
export interface Target {
  readonly name: string;
  /** What --option takes: name and meaning. A meaning that begins with «optional» may be left out. */
  readonly options: Readonly<Record<string, string>>;
  createCalls(request: TargetRequest): readonly Call[] | Promise<readonly Call[]>;
  /** The calls that bring the old release back where the platform does not do so by itself. */
  createUndo?(request: TargetRequest): readonly Call[];
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
