import type { Config } from '@airlock/config';
import type { Version } from '@airlock/health';

const SHORT_COMMIT = 7;

/** The public part of the version. The digest stays, because `airlock deploy` compares it and it reveals nothing. */
export function describeVersion(version: Version, { service }: Pick<Config, 'service'>): Version {
  if (service.versionEndpoint === 'full') return version;
  return { ...version, commit: version.commit?.slice(0, SHORT_COMMIT) ?? null, builtAt: null };
}

/**
 * Describes the running build. The commit and the time come with the image, the digest with the deployment.
 *
 * @param version of the app's package
 */
export function describeBuild({ service, build }: Pick<Config, 'service' | 'build'>, version: string): Version {
  return {
    name: service.name,
    version,
    commit: build.commit ?? null,
    builtAt: build.time ?? null,
    digest: build.imageDigest ?? null,
  };
}
