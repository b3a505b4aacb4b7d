import { AsyncLocalStorage } from 'node:async_hooks';
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
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

/** The response of Node: closed when it was sent, or when its client has left. */
export type RequestEnd = Pick<ServerResponse, 'destroyed' | 'once' | 'getMaxListeners' | 'setMaxListeners'>;

/** A stream of events has as many other listeners as Node accepts without a warning. */
export function onceClosed(response: RequestEnd, listener: () => void): void {
  response.setMaxListeners(response.getMaxListeners() + 1).once('close', listener);
}

/** A file of a request, whose object is in the storage. It is removed unless it is kept: `Files.keep`. */
export interface StoredFile {
  /** Where its object is. A key alone does not permit anything. */
  readonly key: string;
  /** The name that the sender gave it, without characters that mislead. */
  readonly name: string;
  /** Judged by its content. */
  readonly mediaType: string;
  readonly bytes: number;
  /** In hexadecimal. */
  readonly sha256: string;
}

/** The facts about the current request or job, available to all code that runs for it. */
export class RequestContext {
  readonly requestId: string;
  readonly correlationId: string;
  readonly #traceparent: string | string[] | undefined;
  readonly #isTraced: boolean;
  #trace: TraceContext | undefined;
  readonly #response: RequestEnd | undefined;
  #end: AbortController | undefined;
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
  /** Whether the response is a stream of events or a WebSocket, which last as long as the client stays. */
  isStream = false;
  /** Whether the access line of an ordinary response or a stream of events exists. */
  isRecorded = false;
  /** How a WebSocket ended, by RFC 6455. */
  closeCode: number | undefined;
  /** The files in the body, by the name of their part. Set for routes that take files. */
  files: Record<string, StoredFile> | undefined;
  #keptFiles: Set<string> | undefined;
  /** Why the caller was refused, for the access line. */
  refusal: Refusal | undefined;
  #fieldErrors: FieldError[] | undefined;

  constructor(
    headers: IncomingHttpHeaders,
    { isTraced = false, response }: { readonly isTraced?: boolean; readonly response?: RequestEnd } = {},
  ) {
    this.#isTraced = isTraced;
    this.#response = response;
    this.requestId = acceptId(headers['x-request-id']) ?? createId();
    this.correlationId = acceptId(headers['x-correlation-id']) ?? this.requestId;
    this.#traceparent = headers['traceparent'];
  }

  /** The errors in all parts of the request. */
  get fieldErrors(): FieldError[] {
    return (this.#fieldErrors ??= []);
  }

  /**
   * Aborted when the request has its response, or its client has left. Outgoing calls of the request end then. Created on
   * first use.
   */
  get signal(): AbortSignal {
    if (this.#end) return this.#end.signal;
    const end = (this.#end = new AbortController());
    if (this.#response?.destroyed) end.abort();
    else if (this.#response) onceClosed(this.#response, () => end.abort());
    return end.signal;
  }

  /** The keys of files that a transaction keeps. */
  get keptFiles(): Set<string> {
    return (this.#keptFiles ??= new Set());
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
