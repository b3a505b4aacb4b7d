import type { Client, Submittable } from 'pg';

/** A query object as pg defines it, which writes its own messages. */
export interface FollowedQuery extends Submittable {
  callback?: unknown;
  handleError(error: Error, ...rest: unknown[]): void;
  handleReadyForQuery(...args: unknown[]): void;
}

export function isQueryObject(query: unknown): query is FollowedQuery {
  return typeof (query as { submit?: unknown } | null)?.submit === 'function';
}

/** The SQL that a query object will send. @returns undefined if the object does not state it */
export function readQueryText(query: FollowedQuery): string | undefined {
  const { text } = query as { text?: unknown };
  return typeof text === 'string' ? text : undefined;
}

/**
 * Sends a query object and delays the message that completes it, so that the caller can act before the object's owner
 * does.
 */
export function followQuery(
  client: Client,
  query: FollowedQuery,
): Promise<{ error: Error | undefined; forward: () => void }> {
  return new Promise((resolve) => {
    const held = {
      handleReadyForQuery: (...args: unknown[]) =>
        resolve({ error: undefined, forward: () => query.handleReadyForQuery(...args) }),
      handleError: (error: Error, ...rest: unknown[]) =>
        resolve({ error, forward: () => query.handleError(error, ...rest) }),
    };
    client.query(
      new Proxy(query, {
        get(target, key) {
          if (key in held) return held[key as keyof typeof held];
          const value: unknown = Reflect.get(target, key, target);
          // A private field is reachable only through the object itself.
          return typeof value === 'function' ? (value.bind(target) as unknown) : value;
        },
        set: (target, key, value) => Reflect.set(target, key, value, target),
      }),
    );
  });
}
