import { AsyncLocalStorage } from 'node:async_hooks';

/** The changes of which the cache has been told, in the async context of the code that makes them. */
export class ExpectedChanges {
  readonly #rows = new AsyncLocalStorage<ReadonlyMap<string, number>>();

  /** The changes that the code around this one has announced are expected too. */
  run<T>(changes: ReadonlyMap<string, number>, work: () => Promise<T>): Promise<T> {
    const sum = new Map(this.#rows.getStore());
    for (const [table, rows] of changes) sum.set(table, rows + (sum.get(table) ?? 0));
    return this.#rows.run(sum, work);
  }

  /** How many rows of the table may change. */
  of(table: string): number {
    return this.#rows.getStore()?.get(table) ?? 0;
  }
}
