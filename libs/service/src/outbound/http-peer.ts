import { setTimeout as sleep } from 'node:timers/promises';
import { Secret } from '@airlock/config';
import { type Dispatcher, request } from 'undici';
import { formatTraceparent } from '../context/identifiers.js';
import { currentContext } from '../context/request-context.js';
import { observeOperation, type OutgoingOperation } from '../telemetry/outgoing-operation.js';
import { NotSentError } from './not-sent-error.js';
import type { Outbound } from './outbound.js';

/** Stands for an outside service, in the process. */
export type Fake = (request: Request) => Response | Promise<Response>;

export interface PeerLimits {
  /** The time limit of a call, including all attempts. */
  readonly timeoutMs: number;
  readonly maxRetries: number;
  readonly maxBytes: number;
  readonly baseDelayMs?: number;
}

export interface PeerParts extends PeerLimits {
  readonly name: string;
  /** The address of a call, judged. @throws for one that is not an address of the peer */
  readonly resolve: (address: string) => URL;
  readonly mayReach: (host: string) => boolean;
  /** The host in traces; a fixed word where users choose the host. */
  readonly describeHost: (url: URL) => string;
  readonly dispatcher: Dispatcher;
  readonly outbound: Outbound;
  readonly fake?: Fake;
  /** Not where several requests wait for one call. */
  readonly endsWithRequest: boolean;
}

export interface PeerCall {
  /** Default: GET. */
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | Secret>>;
  /** The body, as JSON. */
  readonly json?: unknown;
  readonly body?: string | Uint8Array;
  /** Sent as `idempotency-key`: the peer does the work once for each key, so that the call may be repeated. */
  readonly idempotencyKey?: string;
}

/** The whole response. A redirect is a response too: it is never followed. */
export interface PeerResponse {
  readonly status: number;
  readonly ok: boolean;
  readonly headers: Headers;
  readonly text: string;
  readonly json: () => unknown;
}

interface Attempt {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | undefined;
  readonly signal: AbortSignal;
}

const BASE_DELAY_MS = 100;
const MAX_DELAY_MS = 2_000;
const MILLISECONDS_PER_SECOND = 1_000;
/** Repeating one of these methods has the same effect as sending it once (RFC 9110, 9.2.2). */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);
/** The other side did not process the request, and may accept it later. */
const RETRIED = new Set([429, 502, 503, 504]);

/**
 * An outside service. Calls have a time limit, a limit of bytes, and the ids of the current request, with which they
 * end; they are repeated only where that is safe.
 */
export class HttpPeer {
  readonly #parts: PeerParts;

  constructor(parts: PeerParts) {
    this.#parts = parts;
  }

  /**
   * @param address a path of the peer that begins with `/`, or a whole address where users choose it
   * @throws NotSentError where the environment may not reach the host; Error if there was no whole response in time. An
   *   error status is a response.
   */
  async fetch(address: string, call: PeerCall = {}): Promise<PeerResponse> {
    const { name, resolve, mayReach, timeoutMs, maxRetries, outbound, fake, endsWithRequest } = this.#parts;
    const url = resolve(address);
    const method = call.method ?? 'GET';
    const body = call.json === undefined ? call.body : JSON.stringify(call.json);
    if (fake || !mayReach(url.hostname)) {
      outbound.keep({ kind: 'http', peer: name, method, url: url.href, body: body && describeBody(body) });
      if (!fake) {
        outbound.record({ peer: name, method, outcome: 'kept', seconds: 0 });
        throw new NotSentError(name, { host: url.hostname, environment: outbound.environment });
      }
    }
    const ended = endsWithRequest ? currentContext()?.signal : undefined;
    const limits = [AbortSignal.timeout(timeoutMs), ended].filter((signal) => signal !== undefined);
    const attempt = { method, headers: revealAll(call), body, signal: AbortSignal.any(limits) };
    const isSafe = IDEMPOTENT.has(method) || call.idempotencyKey !== undefined;
    return this.#repeat(url, attempt, isSafe ? maxRetries + 1 : 1);
  }

  async #repeat(url: URL, attempt: Attempt, attempts: number): Promise<PeerResponse> {
    const { signal } = attempt;
    for (let count = 1; ; count += 1) {
      const isLast = count === attempts;
      const outcome = await this.#measure(url, attempt);
      if (!(outcome instanceof Error) && (isLast || !RETRIED.has(outcome.status))) return outcome;
      if (outcome instanceof Error && (isLast || signal.aborted || outcome instanceof TooLongError))
        throw this.#describe(outcome);
      await this.#waitBefore(count + 1, outcome, signal);
    }
  }

  /** Full jitter: clients that failed at the same time do not retry at the same time. `Retry-After` may ask for more. */
  async #waitBefore(attempt: number, outcome: PeerResponse | Error, signal: AbortSignal): Promise<void> {
    const limitMs = Math.min(MAX_DELAY_MS, (this.#parts.baseDelayMs ?? BASE_DELAY_MS) * 2 ** (attempt - 2));
    const asked = outcome instanceof Error ? null : outcome.headers.get('retry-after');
    const askedMs = /^\d{1,5}$/.test(asked ?? '') ? Number(asked) * MILLISECONDS_PER_SECOND : 0;
    await sleep(Math.max(askedMs, Math.random() * limitMs), undefined, { signal }).catch(() => undefined);
  }

  async #measure(url: URL, attempt: Attempt): Promise<PeerResponse | Error> {
    const { name, outbound, describeHost } = this.#parts;
    const { method } = attempt;
    const startedAt = performance.now();
    const operation: OutgoingOperation = {
      name: method,
      attributes: { 'http.request.method': method, 'server.address': describeHost(url) },
    };
    const send = async () => {
      const response = await this.#send(url, {
        ...attempt,
        headers: addCorrelation(attempt.headers, operation.spanId),
      });
      operation.outcome = { 'http.response.status_code': response.status };
      return response;
    };
    const outcome = await observeOperation(operation, send).catch((error: unknown) =>
      error instanceof Error ? error : new Error(String(error)),
    );
    const seconds = (performance.now() - startedAt) / MILLISECONDS_PER_SECOND;
    const word = outcome instanceof Error ? 'error' : `${String(outcome.status)[0]}xx`;
    outbound.record({ peer: name, method, outcome: word, seconds });
    return outcome;
  }

  async #send(url: URL, { method, headers, body, signal }: Attempt): Promise<PeerResponse> {
    const { dispatcher, fake, maxBytes } = this.#parts;
    signal.throwIfAborted();
    if (fake) {
      const response = await until(signal, fake(new Request(url, { method, headers, body: body as string })));
      return createResponse(response.status, response.headers, await until(signal, response.text()));
    }
    const response = await request(url, { dispatcher, method: method as 'GET', headers, body: body ?? null, signal });
    const received = new Headers();
    for (const [name, value] of Object.entries(response.headers))
      for (const one of [value ?? []].flat()) received.append(name, one);
    return createResponse(response.statusCode, received, await readText(response.body, maxBytes));
  }

  #describe(cause: Error): Error {
    const { name } = this.#parts;
    if (cause instanceof TooLongError)
      return new Error(`${name}: sent more than ${this.#parts.maxBytes} bytes; expected at most that many`, { cause });
    return new Error(`${name}: did not respond; expected a response within the time limit`, { cause });
  }
}

class TooLongError extends Error {}

/** Does not wait longer, although the work may go on. */
async function until<T>(signal: AbortSignal, work: T | Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = () => reject(signal.reason as Error);
  signal.addEventListener('abort', stop, { once: true });
  return Promise.race([work, promise]).finally(() => signal.removeEventListener('abort', stop));
}

/** The other side must not decide how much memory is used. */
async function readText(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  // Leaving the loop ends the connection.
  for await (const chunk of body) {
    size += chunk.byteLength;
    if (size > maxBytes) throw new TooLongError(`has more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function createResponse(status: number, headers: Headers, text: string): PeerResponse {
  return { status, ok: status >= 200 && status < 300, headers, text, json: () => JSON.parse(text) as unknown };
}

function revealAll({ headers = {}, json, idempotencyKey }: PeerCall): Record<string, string> {
  const all: Record<string, string | Secret> = {
    ...(json !== undefined && { 'content-type': 'application/json' }),
    ...(idempotencyKey !== undefined && { 'idempotency-key': idempotencyKey }),
    ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
  };
  return Object.fromEntries(
    Object.entries(all).map(([name, value]) => [name, value instanceof Secret ? value.reveal() : value]),
  );
}

/** @param spanId the span of the call, if it is traced; otherwise the span of the current request is the parent */
function addCorrelation(given: Readonly<Record<string, string>>, spanId: string | undefined): Record<string, string> {
  const context = currentContext();
  if (!context) return given;
  return {
    ...given,
    'x-request-id': context.requestId,
    'x-correlation-id': context.correlationId,
    traceparent: formatTraceparent({ ...context.trace, ...(spanId && { spanId }) }),
  };
}

function describeBody(body: string | Uint8Array): string {
  return typeof body === 'string' ? body : `${body.byteLength} bytes`;
}
