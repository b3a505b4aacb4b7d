import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDataSource } from '@airlock/database';
import { type TestDatabase, useTestDatabase } from '@airlock/database-dev/testing';
import type { Config } from '@airlock/config';
import { Lifecycle } from '@airlock/health';
import { afterAll, beforeAll, beforeEach } from '@jest/globals';
import type { DynamicModule } from '@nestjs/common';
import type { InjectOptions, Response } from 'light-my-request';
import type { Logger } from 'pino';
import { DataSource } from 'typeorm';
import { type App, createApp } from '../app/create-app.js';
import { createJobRunner } from '../app/create-job-runner.js';
import type { ServiceDefinition } from '../app/service-definition.js';
import type { JobRunner } from '../jobs/job-runner.js';
import { createLogger } from '../logging/logger.js';
import { type Kept, Outbound } from '../outbound/outbound.js';
import type { ObservedJob } from '../telemetry/observer.js';
import { TestIssuer } from './test-issuer.fixture.js';

export interface TestAppOptions {
  /** Changes the config of the database's environment, testing. */
  readonly configure?: (config: Config) => Config | Promise<Config>;
  readonly imports?: readonly DynamicModule[];
  /** How the tests of the file are isolated. Default: `delete`, which allows concurrent requests. */
  readonly isolation?: 'rollback' | 'delete';
}

export type TestRequest = InjectOptions & {
  /** The user whose token is sent. Without it no token is sent. */
  readonly as?: string;
  /** The roles in that token. */
  readonly roles?: readonly string[];
};

type TestAppParts = Pick<TestApp, 'definition' | 'config' | 'database' | 'issuer'>;

const VERSION = { name: 'airlock-api', version: '0.1.0', commit: 'abcdef0123456789', builtAt: null, digest: null };

/** The whole app with a real database and a real issuer. Requests are injected without a socket. */
export class TestApp {
  readonly lifecycle = new Lifecycle();
  readonly version = VERSION;
  /** The parsed log lines since the test began. */
  lines: Record<string, unknown>[] = [];

  readonly definition: ServiceDefinition;
  readonly config: Config;
  readonly database: TestDatabase;
  readonly issuer: TestIssuer;

  constructor({ definition, config, database, issuer }: TestAppParts) {
    this.definition = definition;
    this.config = config;
    this.database = database;
    this.issuer = issuer;
  }

  app!: App;
  logger!: Logger;
  #runner!: JobRunner;
  readonly #runs: ObservedJob[] = [];

  async open({ imports, isolation }: Required<Omit<TestAppOptions, 'configure'>>): Promise<void> {
    const write = (line: string) => void this.lines.push(JSON.parse(line) as Record<string, unknown>);
    const config = { ...this.config, log: { ...this.config.log, level: 'info' as const } };
    this.logger = createLogger(config, { version: VERSION.version, destination: { write } });
    this.app = await createApp(this.config, {
      definition: this.definition,
      logger: this.logger,
      lifecycle: this.lifecycle,
      version: VERSION,
      imports,
      // A test file does other work in this process, on a machine that others use too.
      maxDelayMs: Infinity,
    });
    const observer = { onJob: (run: ObservedJob) => void this.#runs.push(run), close: () => Promise.resolve() };
    // In a transaction that is rolled back, two jobs at once would need two sessions.
    const jobs = { ...this.config.jobs, ...(isolation === 'rollback' && { concurrency: 1 }) };
    const { definition, logger, app } = this;
    const context = { definition, logger, metrics: app.metrics, observer };
    this.#runner = createJobRunner(app.nest, { ...this.config, jobs }, context);
    const dataSource = this.app.nest.get(DataSource);
    if (isolation === 'rollback') this.database.attach(dataSource);
    await openDataSource(dataSource, this.config);
    this.lifecycle.serve();
  }

  /** The calls of the test to hosts outside and to fakes, and its mail. Nothing of it has left. */
  get kept(): Kept[] {
    return this.app.nest.get(Outbound).kept;
  }

  async request({ as, roles, headers, ...rest }: TestRequest): Promise<Response> {
    const claims = { sub: as, ...(roles && { roles }) };
    const authorization = as === undefined ? {} : { authorization: `Bearer ${await this.issuer.sign(claims)}` };
    return this.app.nest.inject({ ...rest, headers: { ...authorization, ...headers } });
  }

  /** Runs the jobs that are ready, and those that they send, until there is none. @returns how each run ended */
  async runJobs(): Promise<Pick<ObservedJob, 'name' | 'outcome'>[]> {
    await this.#runner.runReady();
    return this.#runs.splice(0).map(({ name, outcome }) => ({ name, outcome }));
  }

  async close(): Promise<void> {
    // The app is undefined if it could not be created.
    await (this.app as App | undefined)?.nest.close();
  }
}

/** One app for the test file, with a folder for files of users. The database changes of a test are undone after it. */
export function useTestApp(
  definition: ServiceDefinition,
  { configure = (config) => config, imports = [], isolation = 'delete' }: TestAppOptions = {},
): TestApp {
  const database = useTestDatabase({ isolation });
  const files = mkdtempSync(join(tmpdir(), 'airlock-test-files-'));
  let current: TestApp | undefined;
  beforeAll(async () => {
    const issuer = await TestIssuer.start();
    const config = { ...database.config, auth: issuer.auth, storage: { kind: 'folder', path: files } as const };
    current = new TestApp({ definition, config: await configure(config), database, issuer });
    await current.open({ imports, isolation });
  });
  beforeEach(() => {
    if (!current) return;
    current.lines = [];
    current.kept.length = 0;
  });
  afterAll(async () => {
    await current?.issuer.stop();
    await current?.close();
    rmSync(files, { recursive: true, force: true });
  });
  return new Proxy({} as TestApp, {
    get(_, key) {
      if (!current) throw new Error('test app: is not started yet; expected its use inside a hook or a test');
      const value: unknown = Reflect.get(current, key, current);
      return typeof value === 'function' ? (value.bind(current) as unknown) : value;
    },
  });
}
