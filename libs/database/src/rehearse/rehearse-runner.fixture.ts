// Runs a rehearsal in its own process, which a test kills: it stops inside the last statement of its migration.
import { Secret } from '@airlock/config';
import type { ProvisionOptions } from '../provision/provision.js';
import { createConfig } from '../refresh/refresh.fixture.js';
import { rehearse } from './rehearse.js';
import { createShop, waitForever } from './shop.fixture.js';

type Names = Record<'host' | 'password' | 'target', string> & { port: number };
const { host, port, password, target } = JSON.parse(process.argv[2]!) as Names;

const address = (user: string, secret: string, database: string) =>
  ({ host, port, user, password: new Secret(secret), database, sslMode: 'disable' }) as const;
const role = (name: string) => address(`${target}_${name}`, `${target}_${name}-secret`, target);
const admin = address('postgres', password, 'postgres');
const options = { admin, app: role('app'), migration: role('migrator'), environment: 'staging' } as ProvisionOptions;

await rehearse({ config: createConfig(options), migrations: [createShop, waitForever], usualMs: 100 });
