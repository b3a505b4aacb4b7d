import { AsyncLocalStorage } from 'node:async_hooks';
import type { IncomingHttpHeaders } from 'node:http';
import type { FieldError } from '../problems/problem.js';
import { acceptId, continueTrace, createId, type TraceContext } from './identifiers.js';

/** Holds names and numbers only: no value of a claim and no part of the token. */
export interface Refusal {
  readonly reason: string;
  readonly claim?: string;
  readonly seconds?: number;
}

/** The client of a stream of server-sent events. */
export interface EventSubscriber {
  /** The id of the last event that it received before it reconnected. */
  readonly lastEventId: string | undefined;
  /** Aborted when the stream ends. A producer that waits must stop then. */
  readonly signal: AbortSignal;
}

/** The facts about the current request or job, available to all code that runs for it. */
export class RequestContext {
  readonly requestId: string;
  readonly correlationId: string;
  readonly #traceparent: string | string[] | undefined;
  readonly #isTraced: boolean;
  #trace: TraceContext | undefined;
  /** The subject of the verified token. */
  userId: string | undefined;
  /** When the token is no longer accepted. */
  expiresAtMs: number | undefined;
  /** The role that the route requires and the caller has. */
  role: string | undefined;
  /** The scheme of the signature that the route requires and the body has. */
  signature: string | undefined;
  /** Checks the bytes of the body before they are parsed. @throws Problem unauthenticated */
  verifyBody: ((bytes: Buffer) => void) | undefined;
  /** The job that runs here, in place of a request. Its ids are those of the request that sent it. */
  job: { readonly name: string; readonly id: string } | undefined;
  /** Set for routes that stream events. */
  subscriber: EventSubscriber | undefined;
  /** Whether the response is a stream of events, which lasts as long as the client stays. */
  isStream = false;
  /** Why the caller was refused, for the access line. */
  refusal: Refusal | undefined;
  #fieldErrors: FieldError[] | undefined;

  constructor(headers: IncomingHttpHeaders, { isTraced = false } = {}) {
    this.#isTraced = isTraced;
    this.requestId = acceptId(headers['x-request-id']) ?? createId();
    this.correlationId = acceptId(headers['x-correlation-id']) ?? this.requestId;
    this.#traceparent = headers['traceparent'];
  }

  /** The errors in all parts of the request. */
  get fieldErrors(): FieldError[] {
    return (this.#fieldErrors ??= []);
  }

  /** Created on first use, because most requests make no outgoing call. */
  get trace(): TraceContext {
    return (this.#trace ??= continueTrace(this.#traceparent, this.#isTraced));
  }
}

const storage = new AsyncLocalStorage<RequestContext>();

export function runInContext<T>(context: RequestContext, run: () => T): T {
  return storage.run(context, run);
}

/** Runs work that belongs to no request, even if a request triggered it. */
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
