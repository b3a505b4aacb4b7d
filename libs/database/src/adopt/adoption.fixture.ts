import { readFileSync } from 'node:fs';
import type { Environment } from '@airlock/config';
import type { Cluster } from '@airlock/embedded-postgres';
import { defineMigration, type Migration } from '../model/migration.js';
import { createAddresses, runAs } from '../provision/provision.fixture.js';
import { type AdoptionPlace, adopt, draftBaseline } from './adopt.js';

export const BY = { actor: 'spec', commit: undefined, imageDigest: undefined };

const BOOKSHOP = 'bookshop';

/** The database that `createBookshop` copies, and the logins of its programs, which belong to the server. */
export async function plantBookshop(cluster: Cluster): Promise<void> {
  await runAs(cluster.superuser, async (client) => {
    await client.query(
      `CREATE ROLE shop LOGIN PASSWORD 'old-Passw0rd'; CREATE ROLE reporting LOGIN PASSWORD 'old-Passw0rd'`,
    );
    await client.query(`CREATE DATABASE ${BOOKSHOP} OWNER shop`);
  });
  await runAs({ ...cluster.superuser, database: BOOKSHOP }, async (client) => {
    await client.query('SET ROLE shop');
    await client.query(readFileSync(new URL('./bookshop.fixture.sql', import.meta.url), 'utf8'));
    await client.query(RIGHTS);
  });
}

const RIGHTS = `
  GRANT USAGE ON SCHEMA warehouse TO reporting;
  GRANT SELECT ON ALL TABLES IN SCHEMA public, warehouse TO reporting;
  GRANT UPDATE (name) ON warehouse.shelves TO reporting;
  ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO reporting`;

export interface BookshopOptions {
  readonly environment?: Environment;
  readonly name: string;
  /** Run afterwards, as a superuser. */
  readonly sql?: string;
}

/** A database as a team has it before it knows Airlock: it belongs to the login of its only program. */
export async function createBookshop(
  cluster: Cluster,
  { environment = 'production', name, sql = '' }: BookshopOptions,
): Promise<AdoptionPlace> {
  await runAs(cluster.superuser, (client) =>
    client.query(`CREATE DATABASE ${name} TEMPLATE ${BOOKSHOP} STRATEGY FILE_COPY OWNER shop`),
  );
  if (sql) await runAs({ ...cluster.superuser, database: name }, (client) => client.query(sql));
  return createAddresses(cluster, name, environment);
}

export async function createBaseline(place: AdoptionPlace): Promise<Migration> {
  const { statements } = await draftBaseline(place, []);
  return defineMigration({ name: '20260101000000-baseline', phase: 'expand', isBaseline: true, statements });
}

export const inPlace = ({ admin, app }: AdoptionPlace) => ({ ...admin, database: app.database });

export const adoptWith = (place: AdoptionPlace, baseline: Migration) => adopt(place, { baseline, by: BY });
