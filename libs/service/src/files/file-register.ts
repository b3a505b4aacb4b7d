import type { EntityManager } from 'typeorm';
import type { Database } from '../data/database.js';

/** The text before which a process that began to remove an object is believed to have been killed. */
const RETRY = `interval '10 minutes'`;
const MOST = 100;

const EXPECT = `INSERT INTO ops.files_to_remove (key, remove_after) VALUES ($1, now() + $2 * interval '1 millisecond')`;
const KEEP = `WITH kept AS (DELETE FROM ops.files_to_remove WHERE key = $1 AND NOT is_removing RETURNING key) SELECT key FROM kept`;
const REMOVE = `INSERT INTO ops.files_to_remove (key, remove_after) VALUES ($1, now()) ON CONFLICT (key) DO NOTHING`;
const claim = (which: string) =>
  `WITH found AS (SELECT key FROM ops.files_to_remove WHERE ${which} LIMIT ${MOST} FOR UPDATE SKIP LOCKED)
   UPDATE ops.files_to_remove AS file SET is_removing = true, remove_after = now() + ${RETRY}
     FROM found WHERE file.key = found.key RETURNING file.key`;
const FORGET = 'DELETE FROM ops.files_to_remove WHERE key = ANY ($1) AND is_removing';

/**
 * The objects that may have to be removed. A key is listed before its object is stored, and the transaction that writes
 * the row of the file removes it from the list: an object is kept if and only if that transaction commits.
 */
export class FileRegister {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Lists the key of an object that will be stored. */
  async expect(key: string, forMs: number): Promise<void> {
    await this.#run('expect', EXPECT, [key, forMs]);
  }

  /** @returns false if the object is being removed */
  async keep(tx: EntityManager, key: string): Promise<boolean> {
    return (await tx.query<object[]>(KEEP, [key])).length === 1;
  }

  async remove(tx: EntityManager, key: string): Promise<void> {
    await tx.query(REMOVE, [key]);
  }

  /** From here on, no transaction can keep these objects. */
  claim(keys: readonly string[]): Promise<string[]> {
    return this.#claim('claim', 'key = ANY ($1)', [keys]);
  }

  /** Those of this environment whose time has come, also if another process was killed while it removed them. */
  claimOld(environment: string): Promise<string[]> {
    return this.#claim('claim_old', `remove_after < now() AND starts_with(key, $1)`, [`${environment}/`]);
  }

  /** Their objects are gone. */
  async forget(keys: readonly string[]): Promise<void> {
    await this.#run('forget', FORGET, [keys]);
  }

  async #claim(name: string, which: string, values: unknown[]): Promise<string[]> {
    return (await this.#run<{ key: string }>(name, claim(which), values)).map(({ key }) => key);
  }

  #run<Row extends object>(name: string, text: string, values: unknown[]): Promise<Row[]> {
    return this.#database.query<Row>({ name: `files_${name}`, text, values, userId: '' });
  }
}
