import type { Config } from '@airlock/config';
import { Module } from '@nestjs/common';
import type { ProductDefinition } from '../app/service-definition.js';
import { Database } from '../data/database.js';
import { Jobs } from '../jobs/job-sender.js';
import { type TestApp, type TestAppOptions, useTestApp } from './use-test-app.fixture.js';

@Module({})
class WithoutRoutes {}

/** The data access and the jobs of a product, without an app, for the specs of jobs. */
export class TestJobs {
  readonly #app: TestApp;

  constructor(app: TestApp) {
    this.#app = app;
  }

  /** Of a process that uses the same database. */
  get config(): Config {
    return this.#app.config;
  }

  get database(): Database {
    return this.#app.app.nest.get(Database);
  }

  get sender(): Jobs {
    return this.#app.app.nest.get(Jobs);
  }

  /** The parsed log lines since the test began. */
  get lines(): readonly Record<string, unknown>[] {
    return this.#app.lines;
  }

  /** The mail and the calls of the test. Nothing of it has left. */
  get kept(): TestApp['kept'] {
    return this.#app.kept;
  }

  /** Runs the jobs that are ready, and those that they send, until there is none. @returns how each run ended */
  run(): ReturnType<TestApp['runJobs']> {
    return this.#app.runJobs();
  }
}

/** The database changes of a test are undone after it; see `useTestApp`. */
export function useTestJobs(product: ProductDefinition, options?: TestAppOptions): TestJobs {
  const app = { ...product, title: 'jobs', prefix: 'jobs', module: WithoutRoutes, constraints: [] };
  return new TestJobs(useTestApp(app, options));
}
