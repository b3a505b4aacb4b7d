import { tracingChannel } from 'node:diagnostics_channel';

type Attributes = Readonly<Record<string, string | number>>;

/** What a request does outside of this process. Its words are ours and few: never a value, a query string or a header. */
export interface OutgoingOperation {
  readonly name: string;
  readonly attributes: Attributes;
  /** Given by who traces, for the other side to be told. */
  spanId?: string;
  /** What is known once there is an answer. */
  outcome?: Attributes;
}

export const OPERATIONS = 'airlock:operation';
const channel = tracingChannel<string, OutgoingOperation>(OPERATIONS);

/** Runs an operation so that telemetry sees it, where there is any. */
export function observeOperation<T>(operation: OutgoingOperation, run: () => Promise<T>): Promise<T> {
  return channel.hasSubscribers ? channel.tracePromise(run, operation) : run();
}
