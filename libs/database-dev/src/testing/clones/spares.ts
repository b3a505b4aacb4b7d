import type { Client } from 'pg';
import { type CloneRegistry, SPARE_TAKEN } from './clone-registry.js';

/**
 * Keeps `count` clones ready, so that a test file finds its database already created. Runs beside the tests, in Jest's
 * own process, on a session that others may use only while it is idle: pg takes one query at a time.
 */
export class SpareKeeper {
  readonly #registry: CloneRegistry;
  readonly #session: Client;
  #missing: number;
  #isStopping = false;
  #work: Promise<void> = Promise.resolve();

  constructor(registry: CloneRegistry, session: Client, count: number) {
    this.#registry = registry;
    this.#session = session;
    this.#missing = count;
  }

  async start(): Promise<void> {
    this.#session.on('notification', () => {
      this.#missing += 1;
      this.#refill();
    });
    await this.#session.query(`LISTEN ${SPARE_TAKEN}`);
    this.#refill();
    this.#work = this.#work.then(() => this.#registry.sweep()).catch(() => undefined);
  }

  async whenIdle(): Promise<void> {
    await this.#work;
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#work;
  }

  #refill(): void {
    this.#work = this.#work.then(async () => {
      while (this.#missing > 0 && !this.#isStopping) {
        this.#missing -= 1;
        // Without a spare, a test file creates its own clone and reports the error.
        await this.#registry.make('spare').catch(() => undefined);
      }
    });
  }
}
