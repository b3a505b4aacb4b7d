import type { DatabaseAddress } from '@airlock/config';
import { loadConfig } from '@airlock/config/loading';
import { escapeIdentifier, escapeLiteral } from 'pg';
import { withClient, createSessionConfig } from '@airlock/database/internal';
import { type Model, TEST_SEED_SIZE } from '@airlock/database/model';
import { formatUrl } from './database-name.js';

/** The inputs that fill a template. */
export type TemplateModel = Pick<Model, 'migrations' | 'backfills' | 'seeds'>;

export interface TemplateOptions extends TemplateModel {
  readonly name: string;
  readonly admin: DatabaseAddress;
  readonly app: DatabaseAddress;
  readonly migration: DatabaseAddress;
}

/** Creates a provisioned, migrated and seeded database that can be cloned and accepts no connections. */
export async function buildTemplate(options: TemplateOptions): Promise<void> {
  const { name, admin, app, migration, migrations, backfills, seeds } = options;
  // Only here, where nothing is cached: these modules are slow to load.
  const [{ provision }, { migrate }, { seed }] = await Promise.all([
    import('@airlock/database/internal'),
    import('@airlock/database/internal'),
    import('@airlock/database/internal'),
  ]);
  const [template, migrator] = [app, migration].map((address) => ({ ...address, database: name }));
  if (!template || !migrator) return;
  const config = loadConfig({
    env: { ENVIRONMENT: 'testing', DATABASE_URL: formatUrl(template), DATABASE_MIGRATION_URL: formatUrl(migrator) },
    cwd: '/',
  });
  await provision({ admin, app: template, migration: migrator, environment: 'testing' });
  await migrate({ config, migrations, backfills });
  await seed({ config, seeds, size: TEST_SEED_SIZE });
  await closeTemplate(options);
}

async function closeTemplate({ name, admin, app, migration }: TemplateOptions): Promise<void> {
  const context = { config: createSessionConfig('testing'), purpose: 'template' };
  await withClient({ ...admin, database: name }, context, (client) => client.query('VACUUM (FREEZE, ANALYZE)'));
  await withClient(admin, context, async (client) => {
    // Stored again by this server, whose password hash costs one round instead of the usual 4096.
    for (const { user, password } of [app, migration]) {
      await client.query(`ALTER ROLE ${escapeIdentifier(user)} PASSWORD ${escapeLiteral(password.reveal())}`);
    }
    await client.query(`ALTER DATABASE ${escapeIdentifier(name)} IS_TEMPLATE true ALLOW_CONNECTIONS false`);
  });
}
