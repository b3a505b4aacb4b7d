import { Secret, type Config } from '@airlock/config';
import type { Version } from '@airlock/health';
import { createStackParser, createTransport, Scope } from '@sentry/core';
import { nodeStackLineParser, ServerRuntimeClient } from '@sentry/core/server';
import { describeExceptions } from './exceptions.js';
import type { Observer } from './observer.js';

export interface ErrorReportOptions {
  readonly config: Config;
  readonly version: Version;
}

const SEND_TIMEOUT_MS = 5_000;
const REDACTED = '[redacted]';
/** Shorter secrets would occur by chance. */
const MIN_SECRET_LENGTH = 6;

const parseStack = createStackParser(nodeStackLineParser());

/**
 * Sends unexpected errors: types, codes, frames and the id of the request. Messages stay in the log, because they quote
 * input of users and values of rows. The client patches no module, reads no variable and collects no breadcrumbs.
 * Secrets are removed before it sends.
 */
export function createErrorReports(dsn: Secret, { config, version }: ErrorReportOptions): Observer {
  const secrets = listSecrets(config);
  const client = new ServerRuntimeClient({
    dsn: dsn.reveal(),
    environment: config.environment,
    release: version.commit ?? version.version,
    platform: 'node',
    runtime: { name: 'node', version: process.version },
    integrations: [],
    stackParser: parseStack,
    beforeSend: (event) => redact(event, secrets),
    transport: ({ url, headers, ...options }) =>
      createTransport(options, async ({ body }) => {
        const signal = AbortSignal.timeout(SEND_TIMEOUT_MS);
        const response = await fetch(url, {
          method: 'POST',
          body: typeof body === 'string' ? body : Buffer.from(body),
          headers: headers ?? {},
          signal,
        });
        await response.body?.cancel();
        return {
          statusCode: response.status,
          headers: {
            'x-sentry-rate-limits': response.headers.get('x-sentry-rate-limits'),
            'retry-after': response.headers.get('retry-after'),
          },
        };
      }),
  });
  client.init();
  return {
    onError(error, { requestId, route }) {
      const scope = new Scope();
      scope.setTags({
        service: config.service.name,
        ...(requestId && { request_id: requestId }),
        ...(route && { route }),
      });
      client.captureEvent({ level: 'error', exception: { values: describeExceptions(error, parseStack) } }, {}, scope);
    },
    close: async (timeoutMs) => void (await client.close(timeoutMs)),
  };
}

/** The secrets of the config and the passwords in its addresses, because both may occur in a message. */
function listSecrets(value: unknown): string[] {
  if (value instanceof Secret) return withPassword(value.reveal()).filter((text) => text.length >= MIN_SECRET_LENGTH);
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(listSecrets);
}

function withPassword(text: string): string[] {
  if (!URL.canParse(text)) return [text];
  const { username, password } = new URL(text);
  return [text, ...[password, username].flatMap((part) => [part, decodeURIComponent(part)])];
}

function redact<T>(event: T, secrets: readonly string[]): T {
  const clean = (value: unknown): unknown => {
    if (typeof value === 'string') return secrets.reduce((text, secret) => text.replaceAll(secret, REDACTED), value);
    if (Array.isArray(value)) return value.map(clean);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, clean(part)]));
  };
  return clean(event) as T;
}
