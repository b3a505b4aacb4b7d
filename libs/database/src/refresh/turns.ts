export type InTurn = <T>(work: () => Promise<T>) => Promise<T>;

/** Work that needs the same session waits for the one before: a session answers one query at a time. */
export function createTurns(): InTurn {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(work);
    last = mine.catch(() => undefined);
    return mine;
  };
}
