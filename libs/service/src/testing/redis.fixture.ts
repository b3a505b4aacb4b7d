import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from '@jest/globals';
import { Secret, readProcessEnvironment } from '@airlock/config';
import { findFreePort, skipUnless } from '@airlock/config/testing';
import { describeWithRedis } from '@airlock/database-dev/testing';

const SERVERS = ['redis-server', 'valkey-server'];

/** The Redis server on PATH, if there is one. */
const redisBinary = SERVERS.find((name) => spawnSync(name, ['--version']).status === 0);

/**
 * A describe block whose tests start, stop and kill a Redis. If Redis is only reachable at an address, they are
 * skipped, and the summary of the run names them.
 */
export function describeWithOwnRedis(title: string, define: () => void): void {
  if (redisBinary !== undefined || readProcessEnvironment()['REDIS_URL'] === undefined)
    return describeWithRedis(title, define);
  skipUnless(false, describe, 'no redis-server or valkey-server on PATH, which a test may kill')(title, define);
}

/** A Redis for one test. It keeps its port over a restart, and only the data that `SAVE` wrote. */
export class TestRedis {
  #child: ChildProcess | undefined;
  readonly #port: number;
  readonly #options: readonly string[];
  readonly #folder = mkdtempSync(join(tmpdir(), 'test-redis-'));

  /** @param options of redis-server, such as `--databases 1` */
  static async start(...options: readonly string[]): Promise<TestRedis> {
    const redis = new TestRedis(await findFreePort(), options);
    await redis.start();
    return redis;
  }

  private constructor(port: number, options: readonly string[]) {
    this.#port = port;
    this.#options = options;
  }

  get address(): { host: string; port: number } {
    return { host: '127.0.0.1', port: this.#port };
  }

  get url(): Secret {
    return new Secret(`redis://127.0.0.1:${this.#port}/0`);
  }

  async start(): Promise<void> {
    if (!redisBinary)
      throw new Error('redis-server: not on PATH; expected one that a test may kill\n  apt install redis-server');
    const address = ['--port', String(this.#port), '--bind', '127.0.0.1', '--dir', this.#folder];
    const options = [...address, '--save', '', '--appendonly', 'no', ...this.#options];
    const child = spawn(redisBinary, options, { stdio: ['ignore', 'pipe', 'ignore'] });
    this.#child = child;
    let output = '';
    for await (const chunk of child.stdout) {
      output += String(chunk);
      if (output.includes('Ready to accept connections')) return;
    }
    throw new Error(`redis-server: exited before it was ready\n${output}`);
  }

  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name);
  }

  /** Kills the server at once. Saved data is available after the next start. */
  async kill(): Promise<void> {
    if (!this.#child || this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
