import { tracingChannel } from 'node:diagnostics_channel';

type Attributes = Readonly<Record<string, string | number>>;

/** An outgoing call of a request. Attributes are few and fixed: never a value, a query string or a header. */
export interface OutgoingOperation {
  readonly name: string;
  readonly attributes: Attributes;
  /** Set by the tracer, and sent to the other side. */
  spanId?: string;
  /** Attributes that are known after the response. */
  outcome?: Attributes;
}

export const OPERATIONS = 'airlock:operation';
const channel = tracingChannel<string, OutgoingOperation>(OPERATIONS);

/** Runs an operation and publishes it for telemetry. */
export function observeOperation<T>(operation: OutgoingOperation, run: () => Promise<T>): Promise<T> {
  return channel.hasSubscribers ? channel.tracePromise(run, operation) : run();
}
