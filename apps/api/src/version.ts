import { readFileSync } from 'node:fs';
import type { Config } from '@airlock/config';
import type { Version } from '@airlock/health';

/** What runs here. The commit and the time come with the image, the digest with the deployment. */
export function readVersion({ service, build }: Config): Version {
  return {
    name: service.name,
    version: readPackageVersion(),
    commit: build.commit ?? null,
    builtAt: build.time ?? null,
    digest: build.imageDigest ?? null,
  };
}

export function readPackageVersion(): string {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
