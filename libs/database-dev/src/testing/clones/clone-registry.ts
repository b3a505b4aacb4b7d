import { type Client, escapeIdentifier } from 'pg';
import { mintCloneName } from './database-name.js';

/** A clone is `spare` until a test file takes it, and `kept` when that file has failed. */
type CloneState = 'making' | 'spare' | 'taken' | 'kept';

export interface Clone {
  readonly name: string;
  readonly run: string;
  readonly state: CloneState;
  /** The test file; of a kept clone also the test: `file: test`. */
  readonly file: string | null;
}

/** Opens a session on a database of the server that holds the clones, as its administrator. */
export type Connect = (database: string) => Promise<Client>;

export const REGISTRY_SQL = `
  CREATE SCHEMA IF NOT EXISTS airlock_testing;
  CREATE TABLE IF NOT EXISTS airlock_testing.clones (
    name text PRIMARY KEY,
    run text NOT NULL,
    state text NOT NULL CHECK (state IN ('making', 'spare', 'taken', 'kept')),
    file text,
    made_at timestamptz NOT NULL DEFAULT now()
  )`;

export const SPARE_TAKEN = 'airlock_spare_taken';
const RUN_LOCK = 0x61697274;

/**
 * The clones of a server, recorded before they are created: only names in this table are ever dropped. Taking a spare
 * is one statement, because the spare already has its final name, its stamp and its grants.
 */
export class CloneRegistry {
  readonly #admin: Client;
  readonly #connect: Connect;
  readonly #template: string;
  readonly #run: string;

  constructor({ admin, connect, template, run }: { admin: Client; connect: Connect; template: string; run: string }) {
    this.#admin = admin;
    this.#connect = connect;
    this.#template = template;
    this.#run = run;
  }

  /** Marks the run as alive until the session ends. */
  async claimRun(): Promise<void> {
    await this.#admin.query('SELECT pg_advisory_lock($1, hashtext($2))', [RUN_LOCK, this.#run]);
  }

  async take(file: string): Promise<string> {
    const { rows } = await this.#admin.query<{ name: string }>(
      `WITH spare AS (
         SELECT name FROM airlock_testing.clones WHERE run = $1 AND state = 'spare' LIMIT 1 FOR UPDATE SKIP LOCKED
       ), taken AS (
         UPDATE airlock_testing.clones c SET state = 'taken', file = $2 FROM spare WHERE c.name = spare.name RETURNING c.name
       ) SELECT name, pg_notify('${SPARE_TAKEN}', $1) FROM taken`,
      [this.#run, file],
    );
    return rows[0]?.name ?? (await this.make('taken', file));
  }

  async make(state: 'spare' | 'taken', file?: string): Promise<string> {
    const name = mintCloneName();
    await this.#admin.query(`INSERT INTO airlock_testing.clones (name, run, state) VALUES ($1, $2, 'making')`, [
      name,
      this.#run,
    ]);
    const [clone, template] = [escapeIdentifier(name), escapeIdentifier(this.#template)];
    await this.#admin.query(`CREATE DATABASE ${clone} TEMPLATE ${template} STRATEGY FILE_COPY`).catch(explainFullDisk);
    await this.#stamp(name);
    await this.#admin.query('UPDATE airlock_testing.clones SET state = $2, file = $3 WHERE name = $1', [
      name,
      state,
      file,
    ]);
    return name;
  }

  async drop(name: string): Promise<void> {
    await this.#admin.query(`DROP DATABASE IF EXISTS ${escapeIdentifier(name)} WITH (FORCE)`);
    await this.#admin.query('DELETE FROM airlock_testing.clones WHERE name = $1', [name]);
  }

  /** Keeps the clone for the developer, in place of the clones of earlier runs of the file. */
  async keep(name: string, { file, test }: { file: string; test?: string }): Promise<void> {
    const { rows } = await this.#admin.query<Clone>(
      `SELECT * FROM airlock_testing.clones
        WHERE state = 'kept' AND run <> $2 AND (file = $1 OR starts_with(file, $1 || ': '))`,
      [file, this.#run],
    );
    for (const earlier of rows) await this.drop(earlier.name);
    const label = test === undefined ? file : `${file}: ${test}`;
    await this.#admin.query(`UPDATE airlock_testing.clones SET state = 'kept', file = $2 WHERE name = $1`, [
      name,
      label,
    ]);
  }

  async list(): Promise<Clone[]> {
    const { rows } = await this.#admin.query<Clone>('SELECT * FROM airlock_testing.clones ORDER BY made_at');
    return rows;
  }

  /** Drops the clones of this run, except kept ones. */
  async dropOurs(): Promise<void> {
    for (const { name, run, state } of await this.list()) {
      if (run === this.#run && state !== 'kept') await this.drop(name);
    }
  }

  /** Drops the clones of dead runs. */
  async sweep(): Promise<void> {
    for (const { name, run, state } of await this.list()) {
      if (run === this.#run || state === 'kept') continue;
      const { rows } = await this.#admin.query<{ dead: boolean }>(
        `SELECT pg_try_advisory_lock($1, hashtext($2)) AND pg_advisory_unlock($1, hashtext($2)) AS dead`,
        [RUN_LOCK, run],
      );
      if (rows[0]?.dead) await this.drop(name);
    }
  }

  /** A clone has neither the grants nor a valid stamp: it gets both, so that the identity check holds. */
  async #stamp(name: string): Promise<void> {
    const client = await this.#connect(name);
    try {
      const { rows } = await client.query<{ sql: string }>(
        `SELECT format('GRANT %s ON DATABASE %I TO %s', privilege_type, $2::text,
                       CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END) AS sql
           FROM pg_database, aclexplode(datacl) WHERE datname = $1`,
        [this.#template, name],
      );
      const grants = rows.map(({ sql }) => sql).join(';');
      await client.query(`
        REVOKE ALL ON DATABASE ${escapeIdentifier(name)} FROM PUBLIC;
        ${grants};
        UPDATE ops.environment SET database_name = datname, database_oid = oid
          FROM pg_database WHERE datname = current_database();
        DO $$ BEGIN EXECUTE (SELECT format('COMMENT ON DATABASE %I IS %L', database_name,
          format('airlock %s on %s as %s', environment, system_identifier, database_oid)) FROM ops.environment); END $$`);
    } finally {
      await client.end();
    }
  }
}

const DISK_FULL = '53100';

function explainFullDisk(cause: unknown): never {
  const { code } = cause as { code?: string };
  throw code === DISK_FULL ? new Error(NO_ROOM, { cause }) : cause;
}

const NO_ROOM =
  'test databases: their server has no space left; expected about 10 MB for each\n' +
  '  free space on its data disk, /dev/shm for `make test`; `docker/compose testing down` removes all data of the Docker server';
