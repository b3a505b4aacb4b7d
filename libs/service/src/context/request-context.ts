import { AsyncLocalStorage } from 'node:async_hooks';
import type { IncomingHttpHeaders } from 'node:http';
import type { FieldError } from '../problems/problem.js';
import { acceptId, continueTrace, createId, type TraceContext } from './identifiers.js';

/** Names and figures only: no claim's value and no part of the token. */
export interface Refusal {
  readonly reason: string;
  readonly claim?: string;
  readonly seconds?: number;
}

/** What is known of the request that is being served, wherever its code happens to run. */
export class RequestContext {
  readonly requestId: string;
  readonly correlationId: string;
  readonly #traceparent: string | string[] | undefined;
  readonly #isTraced: boolean;
  #trace: TraceContext | undefined;
  /** The subject of the verified token. */
  userId: string | undefined;
  /** Why the caller was refused, for the access line. */
  refusal: Refusal | undefined;
  #fieldErrors: FieldError[] | undefined;

  constructor(headers: IncomingHttpHeaders, { isTraced = false } = {}) {
    this.#isTraced = isTraced;
    this.requestId = acceptId(headers['x-request-id']) ?? createId();
    this.correlationId = acceptId(headers['x-correlation-id']) ?? this.requestId;
    this.#traceparent = headers['traceparent'];
  }

  /** What is wrong with it, of all its parts. */
  get fieldErrors(): FieldError[] {
    return (this.#fieldErrors ??= []);
  }

  /** Made when it is first asked for: most requests call nobody. */
  get trace(): TraceContext {
    return (this.#trace ??= continueTrace(this.#traceparent, this.#isTraced));
  }
}

const storage = new AsyncLocalStorage<RequestContext>();

export function runInContext(context: RequestContext, run: () => void): void {
  storage.run(context, run);
}

/** For work that serves no request, though one may have been the occasion of it. */
export function runOutsideRequests<T>(run: () => T): T {
  return storage.exit(run);
}

export function currentContext(): RequestContext | undefined {
  return storage.getStore();
}

declare module 'fastify' {
  interface FastifyRequest {
    context: RequestContext;
  }
}
