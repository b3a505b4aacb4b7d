import { environmentsWith, environmentsWithout } from '../values/environment.js';
import type { StorageAddress } from '../values/storage-url.js';
import { isListed } from '../values/hosts.js';
import { bucketsOf, type ConfigRule, EVERYWHERE, LASTING, violationIf } from './config-rule.js';

/** Rules about hosts and names that apply to a bucket as to a database are in database-rules.ts. */
export const storageRules: readonly ConfigRule[] = [
  {
    title: 'a folder as `STORAGE_URL` or `BACKUP_URL`',
    environments: LASTING,
    find: ({ environment, values }) =>
      // Backups that are only read may be in a folder that the command was given.
      (['STORAGE_URL', 'BACKUP_URL'] as const).flatMap((name) =>
        violationIf(values[name]?.kind === 'folder', {
          name,
          problem: `names a folder in ${environment}, which ends with its container`,
          expected: 'a bucket: s3://access-key:secret-key@host:443/bucket',
          fix: 'create a bucket that only this environment uses, and stamp it with `airlock storage provision`',
        }),
      ),
  },
  {
    title: 'a bucket as `STORAGE_URL` or `BACKUP_URL`',
    environments: environmentsWith('mayBeReset'),
    find: (facts) =>
      bucketsOf(facts).map(({ name }) => ({
        name,
        problem: 'names a bucket, which tests must not touch',
        expected: 'a folder, such as file:/tmp/airlock-files',
        fix: 'use a folder; each test app creates its own and removes it',
      })),
  },
  {
    title: 'no TLS to a bucket whose host is not in `PRIVATE_NETWORKS`',
    environments: environmentsWithout('mayLackTls'),
    find: (facts) =>
      bucketsOf(facts).flatMap(({ name, bucket: { hasTls, host } }) =>
        violationIf(!hasTls && !isListed(host, facts.values.PRIVATE_NETWORKS ?? []), {
          name,
          problem: `connects to the host ${host} without TLS`,
          expected: 's3:// at its beginning',
          fix: 'use s3://, or add the host to PRIVATE_NETWORKS',
        }),
      ),
  },
  {
    title: 'a `BACKUP_URL` that is the place of uploads',
    environments: EVERYWHERE,
    find: ({ values: { STORAGE_URL: uploads, BACKUP_URL: backups } }) =>
      violationIf(uploads && backups && placeOf(uploads) === placeOf(backups), {
        name: 'BACKUP_URL',
        problem: 'names the same place as STORAGE_URL',
        expected: 'a bucket or folder that holds nothing but backups',
        fix: 'create a bucket for backups, with keys that the API does not have',
      }),
  },
];

function placeOf(address: StorageAddress): string {
  return address.kind === 'folder' ? address.path : `${address.bucket} on ${address.host}:${address.port}`;
}
