import { randomBytes, randomUUID } from 'node:crypto';

/** An id that is accepted from a caller: it cannot break a log line, a header or a query. */
const ID = /^[A-Za-z0-9][A-Za-z0-9_-]{7,63}$/;
/** version-traceid-parentid-flags; all zeros mean invalid (W3C Trace Context). */
const TRACEPARENT = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/;
const SAMPLED = 1;

export interface TraceContext {
  readonly traceId: string;
  readonly spanId: string;
  /** The caller's span, if the caller traces. */
  readonly parentId?: string;
  readonly isSampled: boolean;
}

export function acceptId(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' && ID.test(value) ? value : undefined;
}

export function createId(): string {
  return randomUUID();
}

/** Continues the caller's trace with a new span, or begins a trace, which is sampled if this process traces. */
export function continueTrace(traceparent: string | string[] | undefined, isTraced = false): TraceContext {
  const match = typeof traceparent === 'string' ? TRACEPARENT.exec(traceparent) : null;
  const spanId = randomBytes(8).toString('hex');
  if (!match) return { traceId: randomBytes(16).toString('hex'), spanId, isSampled: isTraced };
  const [, traceId = '', parentId = '', flags = '00'] = match;
  return { traceId, spanId, parentId, isSampled: (Number.parseInt(flags, 16) & SAMPLED) === SAMPLED };
}

export function formatTraceparent({ traceId, spanId, isSampled }: TraceContext): string {
  return `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`;
}
