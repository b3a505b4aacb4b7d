import { environmentsWith, environmentsWithout } from '../values/environment.js';
import { isListed } from '../values/hosts.js';
import { bucketOf, type ConfigRule, LASTING, violationIf } from './config-rule.js';

/** Rules about hosts and names that apply to a bucket as to a database are in database-rules.ts. */
export const storageRules: readonly ConfigRule[] = [
  {
    title: 'a folder as `STORAGE_URL`',
    environments: LASTING,
    find: ({ environment, values }) =>
      violationIf(values.STORAGE_URL?.kind === 'folder', {
        name: 'STORAGE_URL',
        problem: `names a folder in ${environment}, which ends with its container`,
        expected: 'a bucket: s3://access-key:secret-key@host:443/bucket',
        fix: 'create a bucket that only this environment uses, and stamp it with `airlock storage provision`',
      }),
  },
  {
    title: 'a bucket as `STORAGE_URL`',
    environments: environmentsWith('mayBeReset'),
    find: (facts) =>
      violationIf(bucketOf(facts) !== undefined, {
        name: 'STORAGE_URL',
        problem: 'names a bucket, which tests must not touch',
        expected: 'a folder, such as file:/tmp/airlock-files',
        fix: 'use a folder; each test app creates its own and removes it',
      }),
  },
  {
    title: 'no TLS to a bucket whose host is not in `PRIVATE_NETWORKS`',
    environments: environmentsWithout('mayLackTls'),
    find: (facts) => {
      const bucket = bucketOf(facts);
      const isOpen = bucket && !bucket.hasTls && !isListed(bucket.host, facts.values.PRIVATE_NETWORKS ?? []);
      return violationIf(isOpen, {
        name: 'STORAGE_URL',
        problem: `connects to the host ${bucket?.host} without TLS`,
        expected: 's3:// at its beginning',
        fix: 'use s3://, or add the host to PRIVATE_NETWORKS',
      });
    },
  },
];
