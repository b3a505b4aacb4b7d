import type { Parcel } from '@airlock/database/sample';
import type { Random } from '../testing/random.fixture.js';

/** The version of each row, by its name. */
export type Rows = ReadonlyMap<string, number>;
export type Seen = Pick<Parcel, 'ownerId' | 'name' | 'version'>;

export interface Operation {
  readonly title: string;
  /** All rows that the user sees at the end, or nothing. */
  readonly run: () => Promise<readonly Seen[] | void>;
  /** The rows of the user once the operation is acknowledged; read after `run`. Unchanged by default. */
  readonly after?: () => Rows;
  /** The operation must fail with such an error, and change nothing. */
  readonly mustFail?: (error: unknown) => boolean;
}

interface Judge {
  /** Whether an error leaves open if the operation was applied. */
  readonly isUncertain: (error: unknown) => boolean;
  /** What the database holds, read by an administrator. */
  readonly readRows: (userId: string) => Promise<readonly Seen[]>;
}

/** A user who knows the rows that its acknowledged operations made, and records each answer that differs. */
export class TrackedUser {
  readonly id: string;
  readonly random: Random;
  readonly problems: string[] = [];
  rows: Rows = new Map();
  #names = 0;

  constructor(id: string, random: Random) {
    this.id = id;
    this.random = random;
  }

  nextName(): string {
    this.#names += 1;
    return `${this.id}.${this.#names}`;
  }

  async perform(operation: Operation, { isUncertain, readRows }: Judge): Promise<void> {
    const { title, run, after = () => this.rows, mustFail } = operation;
    try {
      const seen = await run();
      this.rows = after();
      if (mustFail) this.problems.push(`${title}: was acknowledged; expected an error`);
      if (seen) this.#compare(title, seen, [this.rows]);
    } catch (error) {
      if (mustFail?.(error)) return;
      if (!isUncertain(error)) this.problems.push(`${title}: failed: ${String(error)}`);
      const seen = await readRows(this.id);
      this.#compare(`${title}, which failed`, seen, [this.rows, after()]);
      this.rows = new Map(seen.map(({ name, version }) => [name, version]));
    }
  }

  /** The rows are those of one of the allowed states: all of an operation, or nothing of it. */
  #compare(title: string, seen: readonly Seen[], allowed: readonly Rows[]): void {
    const found = list(seen.map(({ ownerId, name, version }) => `${ownerId}: ${name} v${version}`));
    const expected = allowed.map((rows) => list([...rows].map(([name, version]) => `${this.id}: ${name} v${version}`)));
    if (!expected.includes(found)) this.problems.push(`${title}: saw ${found}; expected ${expected.join(' or ')}`);
  }
}

function list(rows: readonly string[]): string {
  return `[${rows.toSorted().join(', ')}]`;
}
