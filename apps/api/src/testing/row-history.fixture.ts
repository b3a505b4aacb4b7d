/** The state of a row in one response: its version and name, or deleted. */
export interface Seen {
  readonly version: number;
  readonly name: string;
}

export const GONE: Seen = { version: Infinity, name: '' };

interface Observation {
  readonly row: string;
  readonly seen: Seen;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly by: string;
}

/**
 * The acknowledged responses about rows whose version only grows. Such a history is linearizable if and only if no
 * response is older than one that had ended before its request began, and each version has one content.
 */
export class RowHistory {
  readonly #observations: Observation[] = [];

  /**
   * Runs one operation and records its result; undefined means that nothing was acknowledged.
   *
   * @param by a client; a write ends with its kind in parentheses
   */
  async observe(row: string, by: string, ask: () => Promise<Seen | undefined>): Promise<void> {
    const startedAt = performance.now();
    const seen = await ask();
    if (seen) this.#observations.push({ row, by, seen, startedAt, endedAt: performance.now() });
  }

  get size(): number {
    return this.#observations.length;
  }

  /** One line for each stale response. */
  findStale(): string[] {
    return [...Map.groupBy(this.#observations, ({ row }) => row).values()].flatMap(findStaleOfRow);
  }
}

function findStaleOfRow(observations: readonly Observation[]): string[] {
  const ended = observations.toSorted((a, b) => a.endedAt - b.endedAt);
  const names = new Map<number, string>();
  let newest: Observation | undefined;
  let next = 0;
  const stale: string[] = [];
  for (const one of observations.toSorted((a, b) => a.startedAt - b.startedAt)) {
    for (let before = ended[next]; before && before.endedAt < one.startedAt; before = ended[(next += 1)])
      if (!newest || before.seen.version > newest.seen.version) newest = before;
    if (newest && one.seen.version < newest.seen.version) stale.push(describe(one, newest, observations));
    const name = names.get(one.seen.version) ?? one.seen.name;
    names.set(one.seen.version, name);
    if (name !== one.seen.name)
      stale.push(`${one.row}: version ${one.seen.version} was "${name}" and "${one.seen.name}"`);
  }
  return stale;
}

/** Also tells whether the write was acknowledged: the cache promises nothing of one that was not. */
function describe(one: Observation, newest: Observation, observations: readonly Observation[]): string {
  const late = Math.round(one.startedAt - newest.endedAt);
  const write = observations.find(({ by, seen }) => by.endsWith(')') && seen.version === newest.seen.version);
  const acknowledged = write ? `${Math.round(one.startedAt - write.endedAt)} ms before that read began` : 'never';
  return (
    `${one.row}: ${one.by} saw version ${one.seen.version}, ${late} ms after ${newest.by} saw ${newest.seen.version}, ` +
    `whose write was acknowledged ${acknowledged}`
  );
}
