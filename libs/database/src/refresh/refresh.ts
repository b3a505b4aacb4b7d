import { type Config, type DatabaseAddress, environmentsWith, listNames, type Secret, traitsOf } from '@airlock/config';
import type { Client } from 'pg';
import { withClient } from '../connect/client.js';
import { createSessionConfig } from '../connect/client-options.js';
import { assertIdentity, IdentityError } from '../identity/assert-identity.js';
import { readLocation, type Stamp } from '../identity/stamp.js';
import { migrate } from '../migrate/migrate.js';
import { withOwner } from '../runner/session.js';
import type { Classes } from '../model/column-classes.js';
import type { Model } from '../model/product-model.js';
import { assertSameServer, provisionBeside, type ProvisionOptions } from '../provision/provision.js';
import { assertMigrations, assertOrigin, namingRights, openSnapshot } from './assert-source.js';
import { fill, type Filled } from './fill.js';
import { KeyedHash } from './masks/keyed-hash.js';
import type { OnProgress } from './row-progress.js';
import { RefreshRefusal } from './refresh-errors.js';
import { type Beside, lockTarget, nextOf, removeLeftovers, removeUnfinished, swap } from './swap.js';

export interface RefreshOptions extends Pick<Model, 'migrations'>, Partial<Pick<Model, 'backfills'>> {
  /** Of the target. */
  readonly config: Config;
  /** A session of a role that may read every row of the source: a restored copy, which no process serves. */
  readonly source: Client;
  readonly classes: Classes;
  /** The secret of this pair of environments: with it, equal values have equal masks in every run. */
  readonly key: Secret;
  /** Of the persons whose rows are copied, with every row that those point at; 100 by default. */
  readonly percent?: number | undefined;
  /** Texts that the source holds and no row of the result may. */
  readonly canaries?: readonly string[] | undefined;
  readonly onProgress?: OnProgress | undefined;
}

export interface RefreshReport extends Filled {
  readonly database: string;
  readonly from: Stamp;
}

/**
 * Fills a new, migrated database with the masked rows of the source and gives it the name of the target. Only rows of
 * tables in schema public cross, column by column, as their classes say. Killed at any point, the target serves its old
 * rows or all of the new ones.
 *
 * @throws RefreshRefusal before a row is copied, RefreshFailure afterwards
 */
export async function refresh(options: RefreshOptions): Promise<RefreshReport> {
  const place = locateCopy(options.config);
  const { database } = place.app;
  return withClient(place.admin, place.context, async (admin) => {
    await lockTarget(admin, database);
    const target = await assertTarget(options.config, place);
    const { source } = options;
    await namingRights(source, () => openSnapshot(source, { isPart: (options.percent ?? 100) < 100 }));
    try {
      const from = await namingRights(source, () => assertOrigin(source, target));
      await namingRights(source, () => assertMigrations(source, options.migrations));
      await removeLeftovers(admin, place);
      const filled = await build(options, { place, from });
      await withClient(place.admin, place.context, (kicker) => swap(admin, { kicker, database }));
      return { database, from, ...filled };
    } catch (error) {
      // Rows that are no longer read would block every later statement of that session.
      if (!(error instanceof RefreshRefusal)) source.connection.stream.destroy();
      await removeUnfinished(admin, place).catch(() => undefined);
      throw error;
    } finally {
      await source.query('ROLLBACK').catch(() => undefined);
    }
  });
}

export interface CopyPlace extends ProvisionOptions, Beside {
  readonly next: string;
}

/** @throws RefreshRefusal for an environment that never gets rows of another one, such as production */
export function assertTakesCopies({ environment }: Pick<Config, 'environment'>): void {
  if (traitsOf(environment).takesCopies) return;
  throw new RefreshRefusal(
    'TargetTakesNoCopies',
    `ENVIRONMENT: is ${environment}; expected ${listNames(environmentsWith('takesCopies'))}`,
  );
}

/** @throws RefreshRefusal unless the environment takes copies and all three addresses are set */
export function locateCopy(config: Config): CopyPlace {
  assertTakesCopies(config);
  const {
    environment,
    database: { app, migration, admin, sslCa },
  } = config;
  if (!migration || !admin)
    throw new RefreshRefusal(
      'TargetIsUnknown',
      'DATABASE_MIGRATION_URL and DATABASE_ADMIN_URL: are not both set; expected the addresses of the target',
    );
  const place = { admin, app, migration, environment, sslCa };
  assertSameServer(place);
  const context = { config: createSessionConfig(environment, sslCa), purpose: 'refresh' };
  return { ...place, next: nextOf(app.database), context };
}

/** @throws RefreshRefusal unless the database belongs to the environment of the configuration */
export async function assertTarget(config: Config, { admin, app, context }: CopyPlace) {
  return withClient({ ...admin, database: app.database }, context, async (client) => {
    await assertIdentity(client, { expected: config.environment, config }).catch((error: unknown) => {
      if (!(error instanceof IdentityError)) throw error;
      throw new RefreshRefusal('TargetIsUnknown', error.message);
    });
    return readLocation(client);
  });
}

async function build(options: RefreshOptions, { place, from }: { place: CopyPlace; from: Stamp }): Promise<Filled> {
  const config = moveConfig(options.config, place.next);
  await provisionBeside(place, place.next);
  const { migrations, backfills } = options;
  await migrate({ migrations, backfills: backfills ?? [], config });
  return withOwners(config, async (target, probe, reader) => {
    // Until the scan has passed, the stamp fits no name, so that no process starts on this database.
    await stampFor('', place);
    const hash = new KeyedHash(options.key.reveal(), `${from.environment} to ${config.environment}`);
    const filled = await fill({
      ...options,
      canaries: options.canaries ?? [],
      percent: options.percent ?? 100,
      ...{ target, probe, reader, hash },
      roles: { app: place.app.user, migrator: place.migration.user },
    });
    // Those of the empty database say nothing about the rows that came.
    await target.query('DELETE FROM ops.backfills');
    await target.query('INSERT INTO ops.refreshed (from_environment, percent) VALUES ($1, $2)', [
      from.environment,
      options.percent ?? 100,
    ]);
    await stampFor(place.app.database, place);
    return filled;
  });
}

/** Three sessions. */
function withOwners<T>(config: Config, use: (...clients: [Client, Client, Client]) => Promise<T>): Promise<T> {
  const withNext = (next: (client: Client) => Promise<T>) => withOwner({ config }, 'refresh', next);
  return withNext((one) => withNext((two) => withNext((three) => use(one, two, three))));
}

export function moveConfig(config: Config, database: string): Config {
  const move = (address: DatabaseAddress) => ({ ...address, database });
  const { app, migration } = config.database;
  return { ...config, database: { ...config.database, app: move(app), migration: migration && move(migration) } };
}

function stampFor(name: string, { admin, next, context }: CopyPlace): Promise<unknown> {
  return withClient({ ...admin, database: next }, context, (client) =>
    client.query('UPDATE ops.environment SET database_name = $1, created_at = pg_catalog.now()', [name]),
  );
}
