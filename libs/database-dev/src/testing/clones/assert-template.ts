import type { DatabaseAddress } from '@airlock/config';
import { type Client, escapeIdentifier } from 'pg';
import { withClient, createSessionConfig } from '@airlock/database/internal';
import type { Model } from '@airlock/database/model';
import { findChangedObjects, listObjects, loadKnownObjects, readObjects } from '../contents/objects.js';
import { mintCloneName } from './database-name.js';

export interface JudgedTemplate extends Pick<Model, 'folder'> {
  readonly name: string;
  readonly admin: DatabaseAddress;
}

/**
 * A template that stays on a server between runs may have been changed, and the administrator stamps its clones. Checks
 * a clone before any code in it runs.
 *
 * @throws naming objects that neither provisioning nor a migration creates
 */
export async function assertTemplateContents(client: Client, options: JudgedTemplate): Promise<void> {
  const { name: template, admin } = options;
  const { rows } = await client.query<{ runs: boolean }>(
    'SELECT dathasloginevt AS runs FROM pg_catalog.pg_database WHERE datname = $1',
    [template],
  );
  if (rows[0]?.runs) throw new TemplateContentsError(template, 'an event trigger that runs when a session opens');
  const clone = mintCloneName();
  await client.query(`CREATE DATABASE ${escapeIdentifier(clone)} TEMPLATE ${escapeIdentifier(template)}`);
  try {
    const context = { config: createSessionConfig('testing'), purpose: 'template' };
    const objects = await withClient({ ...admin, database: clone }, context, readObjects);
    const found = findChangedObjects(objects, loadKnownObjects(options));
    if (found.length > 0) throw new TemplateContentsError(template, listObjects(found));
  } finally {
    await client.query(`DROP DATABASE ${escapeIdentifier(clone)} WITH (FORCE)`);
  }
}

export class TemplateContentsError extends Error {
  override readonly name = 'TemplateContentsError';

  constructor(template: string, found: string) {
    super(
      `test databases: the template "${template}" holds ${found}; expected only objects of provisioning and the migrations\n` +
        `  find out who changed it; then ALTER DATABASE "${template}" IS_TEMPLATE false; DROP DATABASE "${template}": the next run creates it again`,
    );
  }
}
