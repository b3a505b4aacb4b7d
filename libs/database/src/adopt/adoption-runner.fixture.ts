// Adopts a database of production in its own process, which a test kills. Reads the names from stdin.
import { text } from 'node:stream/consumers';
import { Secret } from '@airlock/config';
import type { Cluster } from '@airlock/embedded-postgres';
import { defineMigration, type MigrationStatement } from '../model/migration.js';
import { createAddresses } from '../provision/provision.fixture.js';
import { adoptWith } from './adoption.fixture.js';

interface Names extends Record<'host' | 'password' | 'database' | 'name', string> {
  readonly port: number;
  readonly statements: readonly MigrationStatement[];
}
const { host, port, password, database, name, statements } = JSON.parse(await text(process.stdin)) as Names;

const superuser = {
  host,
  port,
  user: 'postgres',
  password: new Secret(password),
  database: 'postgres',
  sslMode: 'disable',
};
const place = createAddresses({ superuser } as Cluster, database, 'production');
await adoptWith(place, defineMigration({ name, phase: 'expand', isBaseline: true, statements }));
