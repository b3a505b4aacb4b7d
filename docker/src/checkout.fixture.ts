import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Readable } from 'node:stream';
import { join } from 'node:path';
import { appendFileSync, copyFileSync, rmSync } from 'node:fs';
import { findFreePorts } from '@airlock/config/testing';
import { attempt, cloneWorkspace, listTraces, nameRun, removeClone, run, type Outcome } from './engine.fixture.js';
import { inspectProject, serviceOf, type Container } from './containers.fixture.js';

type FivePorts = [string, string, string, string, string];

/** A clean clone whose environments have their own names and ports, independent of others on this engine. */
export class Checkout {
  readonly name = nameRun();
  readonly folder = cloneWorkspace();
  apiPort = '';
  #settings: Record<string, string> = {};

  /** Copies the example to .env, as the README says. */
  async setUp(): Promise<void> {
    const [api, postgres, redis, testPostgres, testRedis] = (await findFreePorts(5)).map(String) as FivePorts;
    this.apiPort = api;
    this.#settings = {
      API_PORT: api,
      POSTGRES_PORT: postgres,
      REDIS_PORT: redis,
      TEST_POSTGRES_PORT: testPostgres,
      TEST_REDIS_PORT: testRedis,
    };
    copyFileSync(join(this.folder, '.env.example'), join(this.folder, '.env'));
  }

  /** `docker compose …`, as a user types it in the checkout. */
  compose(...args: string[]): Outcome {
    const settings = { ...this.#settings, COMPOSE_PROJECT_NAME: this.projectOf('development') };
    return attempt('docker', ['compose', ...args], this.folder, settings);
  }

  /** `docker compose …` that runs until it is stopped. */
  follow(...args: string[]): ChildProcessByStdio<null, Readable, Readable> {
    const assignments = { ...this.#settings, COMPOSE_PROJECT_NAME: this.projectOf('development') };
    const settings = Object.entries(assignments).map(([name, value]) => `${name}=${value}`);
    const stdio: ['ignore', 'pipe', 'pipe'] = ['ignore', 'pipe', 'pipe'];
    return spawn('env', [...settings, 'docker', 'compose', ...args], { cwd: this.folder, stdio });
  }

  /** `docker/compose testing …`, as a user types it in the checkout. */
  testing(...args: string[]): Outcome {
    const settings = { ...this.#settings, AIRLOCK_PROJECT: this.projectOf('testing') };
    return attempt('docker/compose', ['testing', ...args], this.folder, settings);
  }

  /** `make …`, as a user types it in the checkout. */
  make(target: string, settings: Record<string, string> = {}): Outcome {
    const own = { ...this.#settings, COMPOSE_PROJECT_NAME: this.projectOf('development') };
    return attempt('make', [target], this.folder, { ...own, ...settings });
  }

  projectOf(environment: string): string {
    return `${this.name}-${environment}`;
  }

  setEnv(line: string): void {
    appendFileSync(join(this.folder, '.env'), `${line}\n`);
  }

  /** Removes .env, as in a fresh checkout. */
  removeEnv(): void {
    rmSync(join(this.folder, '.env'));
  }

  async fetchText(path: string, headers: Record<string, string> = {}): Promise<string | undefined> {
    const url = `http://127.0.0.1:${this.apiPort}${path}`;
    const response = await fetch(url, { headers, signal: AbortSignal.timeout(2000) });
    return response.ok ? response.text() : undefined;
  }

  /** The running containers of an environment, by service. */
  inspectContainers(environment: string): Map<string, Container> {
    return new Map(inspectProject(this.projectOf(environment)).map((container) => [serviceOf(container), container]));
  }

  /** Stops and removes everything of this run; returns the leftovers. */
  tearDown(): string[] {
    this.compose('--profile', '*', 'down', '--volumes', '--remove-orphans');
    this.testing('--profile', '*', 'down', '--volumes', '--remove-orphans');
    const images = listTraces(this.name).filter((trace) => trace.includes(':'));
    if (images.length > 0) run('docker', ['image', 'rm', '--force', ...images]);
    removeClone(this.folder);
    return listTraces(this.name);
  }
}
