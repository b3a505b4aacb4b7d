import { Secret, type Config } from '@airlock/config';
import { pino, type DestinationStream, type Logger, type LoggerOptions } from 'pino';
import { currentContext } from '../context/request-context.js';

/** Keys whose values are redacted at the top level and two levels below. */
const SECRET_KEYS = [
  'authorization',
  'cookie',
  'password',
  'secret',
  'token',
  'access_token',
  'refresh_token',
  'api_key',
];
const REDACTED = '[redacted]';

export interface LoggerChoices {
  readonly version: string;
  /** Default: standard output. */
  readonly destination?: DestinationStream;
}

/** The log of the process, in the configured format. The pretty formatter is loaded only if it is used. */
export async function openLogger(config: Config, { version }: { version: string }): Promise<Logger> {
  if (config.log.format === 'json') return createLogger(config, { version });
  const { createPrettyStream } = await import('./pretty-log.js');
  return createLogger(config, { version, destination: await createPrettyStream() });
}

/** One JSON object per line. Every line of a request has the ids of the request, as has that of a job which it sent. */
export function createLogger(config: Config, { version, destination }: LoggerChoices): Logger {
  const options: LoggerOptions = {
    level: config.log.level,
    base: { service: config.service.name, version, environment: config.environment },
    messageKey: 'event',
    errorKey: 'error',
    timestamp: () => `,"timestamp":"${new Date().toISOString()}"`,
    formatters: { level: (level) => ({ level }) },
    redact: { paths: SECRET_KEYS.flatMap((key) => [atTop(key), `*.${key}`, `*.*.${key}`]), censor: REDACTED },
    serializers: { error: serializeError },
    mixin: describeContext,
  };
  return destination ? pino(options, destination) : pino(options);
}

/** For lines whose fields hold no objects. Redacting nested keys would cost ten times as much as the line itself. */
export function createFlatLogger(logger: Logger): Logger {
  return logger.child({}, { redact: { paths: SECRET_KEYS.map(atTop), censor: REDACTED } });
}

function describeContext(): object {
  const context = currentContext();
  if (!context) return {};
  const { requestId, correlationId, job } = context;
  return {
    request_id: requestId,
    correlation_id: correlationId,
    ...(job && { job: job.name, job_id: job.id }),
  };
}

/** Logs only selected fields, because drivers add parameters, details and hosts to their errors. */
function serializeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error instanceof Secret ? REDACTED : { message: String(error) };
  const code = 'code' in error ? { code: error.code } : {};
  const cause: unknown = error.cause;
  return {
    type: error.name,
    ...code,
    message: error.message,
    stack: error.stack,
    ...(cause !== undefined && { cause: serializeError(cause) }),
  };
}

function atTop(key: string): string {
  return `["${key}"]`;
}
