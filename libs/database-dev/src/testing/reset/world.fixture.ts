// Two real servers: one for tests, and a "production" with a canary and the same names, roles and passwords.
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, connect, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { type DatabaseAddress, type EnvironmentVariables, Secret } from '@airlock/config';
import type { Client } from 'pg';
import { connectClient, createSessionConfig, provision, saveProvisionRecord } from '@airlock/database/internal';
import { chooseStorageFolder, createOwnedFolder, startScratchCluster, type Cluster } from '@airlock/embedded-postgres';
import { ask, createAddresses, runAs } from '@airlock/database/fixtures';
import { sampleModel } from '@airlock/database/sample';
import { LAYERS } from './layers.js';
import { type ResetInternals, type ResetReport, runReset } from './run-reset.js';

export interface Servers {
  readonly test: Cluster;
  readonly production: Cluster;
  /** A superuser session on each; opening one costs more than its queries. */
  readonly testAdmin: Client;
  readonly productionAdmin: Client;
  stop(): Promise<void>;
}

export async function startServers(): Promise<Servers> {
  const [test, production] = await Promise.all([startScratchCluster(), startScratchCluster()]);
  const context = { config: createSessionConfig('testing'), purpose: 'spec' };
  const testAdmin = await connectClient(test.superuser, context);
  const productionAdmin = await connectClient(production.superuser, context);
  await productionAdmin.query('CREATE TABLE canary AS SELECT 1 AS alive');
  const stop = async () => {
    await Promise.all([testAdmin.end(), productionAdmin.end()]);
    await Promise.all([test.stop(), production.stop()]);
  };
  return { test, production, testAdmin, productionAdmin, stop };
}

/** How far an attack reached into the test server: not at all, into the one database, or anywhere. */
export type Reach = 'nothing' | 'database' | 'server';

const REACHES: readonly Reach[] = ['nothing', 'database', 'server'];

/** A separate checkout with one provisioned test database, whose number shows whether it was recreated. */
export class World {
  readonly workspace = createOwnedFolder(chooseStorageFolder(existsSync('/dev/shm') ? 'memory' : 'disk'), 'world');
  readonly variables: Record<string, string | undefined> = { ENVIRONMENT: 'testing' };
  readonly cleanups: (() => unknown)[] = [];
  internals: Partial<ResetInternals> = {};
  databaseOid = 0;
  hasProduction = false;
  /** Decides which parts must be provisioned again before the next attack. */
  reach: Reach = 'nothing';
  #isProvisionedHere = false;

  constructor(
    readonly servers: Servers,
    readonly database: string,
  ) {
    mkdirSync(join(this.workspace, '.airlock'));
    this.writeFile('nx.json', '{}');
    this.writeSettings();
  }

  get options() {
    return createAddresses(this.servers.test, this.database, 'testing');
  }

  /** As the superuser, inside the test database. */
  get inside(): DatabaseAddress {
    return { ...this.servers.test.superuser, database: this.database };
  }

  get productionInside(): DatabaseAddress {
    return { ...this.servers.production.superuser, database: this.database };
  }

  async provision(): Promise<this> {
    const { stamp } = await provision(this.options);
    this.record({ systemIdentifier: stamp.systemIdentifier });
    this.databaseOid = stamp.databaseOid;
    this.#isProvisionedHere = true;
    return this;
  }

  /** Reverts changes of attacks in the database alone; roles and template stay. */
  async provisionAgain(): Promise<void> {
    await this.server(`DROP DATABASE ${this.database} WITH (FORCE)`);
    await this.provision();
    this.reach = 'nothing';
  }

  extendReach(reach: Reach): void {
    if (REACHES.indexOf(reach) > REACHES.indexOf(this.reach)) this.reach = reach;
  }

  /** Another checkout with the same database. */
  like(other: World): this {
    this.databaseOid = other.databaseOid;
    this.record();
    return this;
  }

  /** The same name, roles and passwords on the other server, with a stamp of its environment and a canary. */
  async provisionProduction(environment: 'production' | 'testing' = 'production'): Promise<void> {
    this.hasProduction = true;
    // The next attack must not find this database beside its own.
    this.cleanups.push(() => this.servers.productionAdmin.query(`DROP DATABASE ${this.database} WITH (FORCE)`));
    await provision(createAddresses(this.servers.production, this.database, environment));
    // Under the name of a table of a migration, so that its contents are not a reason to refuse.
    await runAs(this.productionInside, (client) => client.query('CREATE TABLE parcels AS SELECT 1 AS alive'));
  }

  record(
    overrides: { systemIdentifier?: string; host?: string; port?: number; environment?: 'testing' | 'production' } = {},
  ): void {
    const { host, port, systemIdentifier } = this.servers.test;
    const { database } = this;
    saveProvisionRecord(this.workspace, {
      environment: 'testing',
      host,
      port,
      systemIdentifier,
      database,
      ...overrides,
    });
  }

  url(
    role: 'app' | 'migrator',
    { port = this.servers.test.port, database = this.database, host = '127.0.0.1' } = {},
  ): string {
    return `postgres://${this.database}_${role}:${this.database}_${role}-secret@${host}:${port}/${database}`;
  }

  writeSettings(where: { port?: number; database?: string; host?: string } = {}): void {
    this.writeUrls(this.url('app', where), this.url('migrator', where));
  }

  writeUrls(app: string, migrator: string): void {
    this.writeFile('.env.testing', `ENVIRONMENT=testing\nDATABASE_URL=${app}\nDATABASE_MIGRATION_URL=${migrator}\n`);
  }

  writeFile(name: string, text: string): void {
    writeFileSync(join(this.workspace, name), text, { mode: 0o600 });
  }

  sql(text: string): Promise<unknown> {
    this.extendReach('database');
    return runAs(this.inside, (client) => client.query(text));
  }

  server(text: string): Promise<unknown> {
    this.extendReach('server');
    return this.servers.testAdmin.query(text);
  }

  /** For a change that `undo` reverts completely: the next attack finds the server unchanged. */
  async serverUntilDisposed(text: string, undo: string): Promise<void> {
    this.cleanups.push(() => this.servers.testAdmin.query(undo));
    await this.servers.testAdmin.query(text);
  }

  /** A recreated database is as provisioning leaves it, after any change of the old one. */
  async reset(layers = LAYERS, variables: EnvironmentVariables = this.variables): Promise<ResetReport> {
    const internals = { layers, prepare: async () => {}, ...this.internals };
    const report = await runReset({ variables, workspace: this.workspace, model: sampleModel }, internals);
    if (report.outcome === 'reset' && this.reach === 'database' && !(await this.isKept())) this.reach = 'nothing';
    return report;
  }

  async isKept(): Promise<boolean> {
    return (await this.readOid()) === this.databaseOid;
  }

  /** From now on, the database that must be kept is the current one with that name. */
  async remember(): Promise<void> {
    this.databaseOid = await this.readOid();
  }

  private async readOid(): Promise<number> {
    const sql = `SELECT oid::int FROM pg_database WHERE datname = '${this.database}'`;
    return (await ask(this.servers.testAdmin, sql)) as number;
  }

  /** Every canary on the production server. */
  async isCanaryAlive(): Promise<boolean> {
    const alive = 'SELECT sum(alive)::int FROM';
    if ((await ask(this.servers.productionAdmin, `${alive} canary`)) !== 1) return false;
    return (
      !this.hasProduction || (await runAs(this.productionInside, (client) => ask(client, `${alive} parcels`))) === 1
    );
  }

  async dispose(): Promise<void> {
    for (const cleanup of this.cleanups.reverse()) await cleanup();
    // The more databases a server has, the longer its checks take.
    if (this.#isProvisionedHere) await this.#dropAll();
    rmSync(this.workspace, { recursive: true, force: true });
  }

  /** The database, its template and every clone, then their roles. */
  async #dropAll(): Promise<void> {
    const { testAdmin } = this.servers;
    const list = async (sql: string) => (await testAdmin.query<{ name: string }>(sql, [this.database])).rows;
    for (const { name } of await list('SELECT datname AS name FROM pg_database WHERE starts_with(datname, $1)')) {
      await testAdmin.query(`ALTER DATABASE ${name} IS_TEMPLATE false`);
      await testAdmin.query(`DROP DATABASE ${name} WITH (FORCE)`);
    }
    for (const { name } of await list('SELECT rolname AS name FROM pg_roles WHERE starts_with(rolname, $1)')) {
      await testAdmin.query(`DROP ROLE ${name}`);
    }
  }
}

/** Forwards the nth connection to the port that `choose` names, like a tunnel, a pooler or a balancer. */
export async function startProxy(choose: (nth: number) => number): Promise<{ port: number; stop(): Promise<void> }> {
  const sockets = new Set<Socket>();
  let nth = 0;
  const server: Server = createServer((socket) => {
    const upstream = connect(choose((nth += 1)), '127.0.0.1');
    for (const end of [socket, upstream]) {
      sockets.add(end);
      end.on('error', () => undefined).on('close', () => (socket.destroy(), upstream.destroy()));
    }
    socket.pipe(upstream).pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return {
    port,
    stop: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

export const withPassword = (address: DatabaseAddress, password: string): DatabaseAddress => ({
  ...address,
  password: new Secret(password),
});
