import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '@airlock/config/loading';
import { describeBuild, describeVersion } from './version.js';

const BUILD = {
  GIT_COMMIT: '0123456789abcdef0123456789abcdef01234567',
  BUILD_TIME: '2026-01-31T12:00:00Z',
  IMAGE_DIGEST: `sha256:${'a'.repeat(64)}`,
};
const load = (env: Record<string, string>) =>
  loadConfig({
    env: { ENVIRONMENT: 'testing', DATABASE_URL: 'postgres://a_app:q7Vd2mXc81LkPz0w@127.0.0.1:1/a_test', ...env },
    cwd: '/',
  });

describe('describeVersion', () => {
  const version = '1.2.3';
  it.each([
    ['full', { commit: BUILD.GIT_COMMIT, builtAt: BUILD.BUILD_TIME }],
    ['short', { commit: '0123456', builtAt: null }],
  ])('contains the facts that VERSION_ENDPOINT=%s allows, and always the digest', (endpoint, shown) => {
    const config = load({ ...BUILD, VERSION_ENDPOINT: endpoint });
    const expected = { name: 'airlock-api', version, digest: BUILD.IMAGE_DIGEST, ...shown };
    expect(describeVersion(describeBuild(config, version), config)).toEqual(expected);
  });

  it('is null for facts that the build did not set', () => {
    const config = load({ VERSION_ENDPOINT: 'short' });
    const expected = { name: 'airlock-api', version, commit: null, builtAt: null, digest: null };
    expect(describeVersion(describeBuild(config, version), config)).toEqual(expected);
  });
});
