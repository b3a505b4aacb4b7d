import { setTimeout as sleep } from 'node:timers/promises';
import { formatTraceparent } from '../context/identifiers.js';
import { currentContext } from '../context/request-context.js';
import { observeOperation, type OutgoingOperation } from '../telemetry/outgoing-operation.js';

export interface HttpClientOptions {
  /** The time limit of a call, including all attempts. */
  readonly timeoutMs: number;
  readonly maxRetries: number;
  readonly baseDelayMs?: number;
}

export type HttpRequest = Omit<RequestInit, 'signal' | 'redirect'>;

const BASE_DELAY_MS = 100;
const MAX_DELAY_MS = 2_000;
/** Repeating one of these methods has the same effect as sending it once (RFC 9110, 9.2.2). */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);
/** The other side did not process the request, and may accept it later. */
const RETRIED = new Set([429, 502, 503, 504]);

/**
 * Outgoing calls: with a time limit, with retries of idempotent methods only, and with the ids of the current request.
 */
export class HttpClient {
  readonly #options: Required<HttpClientOptions>;

  constructor(options: HttpClientOptions) {
    this.#options = { baseDelayMs: BASE_DELAY_MS, ...options };
  }

  /** @throws if no attempt got a response in time; an error status is a response */
  async fetch(url: string, request: HttpRequest = {}): Promise<Response> {
    const { timeoutMs, maxRetries } = this.#options;
    const signal = AbortSignal.timeout(timeoutMs);
    const init = { ...request, signal, redirect: 'error' } as const;
    const attempts = IDEMPOTENT.has(request.method ?? 'GET') ? maxRetries + 1 : 1;
    for (let attempt = 1; ; attempt += 1) {
      const isLast = attempt === attempts;
      const outcome = await attemptFetch(url, init);
      if (outcome instanceof Response && (isLast || !RETRIED.has(outcome.status))) return outcome;
      if (outcome instanceof Error && (isLast || signal.aborted)) throw describeFailure(url, outcome);
      // A response body that is not read would keep its connection.
      if (outcome instanceof Response) await outcome.body?.cancel();
      await this.#waitBefore(attempt + 1, signal);
    }
  }

  /** Full jitter: clients that failed at the same time do not retry at the same time. */
  async #waitBefore(attempt: number, signal: AbortSignal): Promise<void> {
    const limitMs = Math.min(MAX_DELAY_MS, this.#options.baseDelayMs * 2 ** (attempt - 2));
    await sleep(Math.random() * limitMs, undefined, { signal }).catch(() => undefined);
  }
}

async function attemptFetch(url: string, init: RequestInit): Promise<Response | Error> {
  const { hostname } = new URL(url);
  const method = init.method ?? 'GET';
  const operation: OutgoingOperation = {
    name: method,
    attributes: { 'http.request.method': method, 'server.address': hostname },
  };
  const send = async () => {
    const response = await fetch(url, { ...init, headers: addCorrelation(init.headers, operation.spanId) });
    operation.outcome = { 'http.response.status_code': response.status };
    return response;
  };
  try {
    return await observeOperation(operation, send);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** @param spanId the span of the call, if it is traced; otherwise the span of the current request is the parent */
function addCorrelation(given: RequestInit['headers'], spanId: string | undefined): Headers {
  const headers = new Headers(given);
  const context = currentContext();
  if (!context) return headers;
  headers.set('x-request-id', context.requestId);
  headers.set('x-correlation-id', context.correlationId);
  headers.set('traceparent', formatTraceparent({ ...context.trace, ...(spanId && { spanId }) }));
  return headers;
}

function describeFailure(url: string, cause: Error): Error {
  return new Error(`${new URL(url).origin}: did not respond; expected a response within the time limit`, { cause });
}

/** @throws if the body is longer: the other side must not decide how much memory is used */
export async function readBody(response: Response, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  // Leaving the loop cancels the rest of the body.
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength;
    if (size > maxBytes) throw new Error(`${new URL(response.url).origin}: sent more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
