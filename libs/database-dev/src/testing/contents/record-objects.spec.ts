import { describe, expect, it } from '@jest/globals';
import { createAccounts, useScratchCluster } from '@airlock/database/fixtures';
import { withOwner } from '@airlock/database/internal';
import { defineMigration } from '@airlock/database/model';
import { findUnknownObjects, loadProvidedObjects, readObjects } from './objects.js';
import { recordObjects } from './record-objects.js';

const cluster = useScratchCluster();
const dropAccounts = defineMigration({
  name: '20260105000000-drop-accounts',
  phase: 'contract',
  completes: createAccounts.name,
  statements: ['DROP TABLE public.accounts', 'CREATE TABLE public.ledger (id integer PRIMARY KEY)'],
});

describe('recordObjects', () => {
  it('keeps objects that a later migration removes, so that a database of an older state is accepted', async () => {
    const { config, superuser } = await cluster.create();
    const owner = {
      config,
      withOwner: <T>(use: Parameters<typeof withOwner<T>>[2]) => withOwner({ config }, 'spec', use),
    };
    const known = await recordObjects(owner, { migrations: [createAccounts, dropAccounts] });
    expect(known.migrated).toEqual(['table public.accounts', 'table public.ledger']);
    const { provisioned, bookkeeping } = known;
    expect({ provisioned, bookkeeping }).toEqual(loadProvidedObjects());
    expect(bookkeeping).toEqual(
      [
        'backfills',
        'backups',
        'files_to_remove',
        'migration_runs',
        'migrations',
        'read_cache',
        'refreshed',
        'rehearsals',
        'restorable_backups',
      ].map((name) => `table ops.${name}`),
    );
    await superuser.query('CREATE TABLE public.accounts (anything text); CREATE TABLE public.customers ()');
    const unknown = findUnknownObjects(await readObjects(superuser), known);
    expect(unknown.map(({ name }) => name)).toEqual(['public.customers']);
  });
});
