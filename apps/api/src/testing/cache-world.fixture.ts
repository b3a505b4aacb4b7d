import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '@airlock/config';
import { TcpProxy, TestIssuer, TestRedis } from '@airlock/service/testing';
import { Redis } from 'ioredis';
import { ApiProcess } from './api-process.fixture.js';

const UNLIMITED = { RATE_LIMIT_PER_USER: '1000000', RATE_LIMIT_PER_ADDRESS: '1000000' };

/** One process of the API and the network between it and Redis. */
export interface Replica {
  readonly proxy: TcpProxy;
  api: ApiProcess;
}

/** Two processes of the API on one database and one Redis, with a second Redis to fail over to. */
export class CacheWorld {
  readonly replicas: Replica[] = [];
  #authorization = '';

  private constructor(
    readonly config: Config,
    readonly issuer: TestIssuer,
    public primary: TestRedis,
    public standby: TestRedis,
  ) {}

  static async open(database: Config): Promise<CacheWorld> {
    const issuer = await TestIssuer.start();
    const config = { ...database, auth: issuer.auth };
    const world = new CacheWorld(config, issuer, await TestRedis.start(), await TestRedis.start());
    world.#authorization = `Bearer ${await issuer.sign()}`;
    const start = async () => {
      const proxy = await TcpProxy.start(world.primary.address);
      return { proxy, api: await world.#startApi(proxy) };
    };
    world.replicas.push(...(await Promise.all([start(), start()])));
    return world;
  }

  replica(index: number): Replica {
    const replica = this.replicas[index];
    if (!replica) throw new Error(`replica ${index}: does not exist`);
    return replica;
  }

  /** Kills and starts the process, like a crash and a supervisor. */
  async restart(replica: Replica): Promise<void> {
    await replica.api.stop();
    replica.api = await this.#startApi(replica.proxy);
  }

  /** @returns undefined if the process did not respond */
  async ask(replica: Replica, path: string, init: RequestInit = {}): Promise<Response | undefined> {
    const headers = { authorization: this.#authorization, 'content-type': 'application/json', 'if-match': '*' };
    return fetch(`${replica.api.url}/api/v1/entities${path}`, { ...init, headers }).catch(() => undefined);
  }

  async command(server: TestRedis, ...command: [string, ...string[]]): Promise<unknown> {
    const client = new Redis({ ...server.address, lazyConnect: true });
    try {
      await client.connect();
      return await client.call(...command);
    } finally {
      client.disconnect();
    }
  }

  /** Replicates the primary to the standby once. From then on the standby lags. */
  async copyToStandby(): Promise<void> {
    const { host, port } = this.primary.address;
    await this.command(this.standby, 'REPLICAOF', host, String(port));
    while (!String(await this.command(this.standby, 'INFO', 'replication')).includes('master_link_status:up'))
      await sleep(20);
    await this.command(this.standby, 'REPLICAOF', 'NO', 'ONE');
  }

  async close(): Promise<void> {
    await Promise.all(this.replicas.map(({ api }) => api.stop()));
    await Promise.all(this.replicas.map(({ proxy }) => proxy.stop()));
    await Promise.all([this.primary.stop(), this.standby.stop(), this.issuer.stop()]);
  }

  #startApi({ port }: TcpProxy): Promise<ApiProcess> {
    const url = `redis://127.0.0.1:${port}/0`;
    return ApiProcess.start({ config: this.config, env: { ...UNLIMITED, REDIS_URL: url } });
  }
}
