import { HttpException } from '@nestjs/common';
import type { ProblemCode } from '../problems/problem-codes.js';
import { Problem } from '../problems/problem.js';
import { StorageError } from '@airlock/storage';
import { isDatabaseUnavailable, readCode } from './database-failures.js';

/** Codes of Fastify. Its messages are for developers and are never sent. */
const fastifyCodes: Readonly<Record<string, ProblemCode>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported-media-type',
  FST_ERR_CTP_BODY_TOO_LARGE: 'body-too-large',
  FST_ERR_CTP_INVALID_JSON_BODY: 'malformed-request',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'malformed-request',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'malformed-request',
  FST_ERR_BAD_URL: 'malformed-request',
  FST_ERR_HANDLER_TIMEOUT: 'request-timeout',
};

const statusCodes: Readonly<Record<number, ProblemCode>> = {
  400: 'malformed-request',
  401: 'unauthenticated',
  404: 'not-found',
  405: 'method-not-allowed',
  413: 'body-too-large',
  415: 'unsupported-media-type',
};

/** A statement that was cancelled at its timeout, and a value that no column can store. */
const QUERY_CANCELED = '57014';
const DATA_EXCEPTION = /^22/;
const RETRY = { 'retry-after': '2' };

/**
 * Translates any thrown value into a problem. An unknown error becomes an internal error; only the log has its message.
 */
export function translateError(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const code = readCode(error);
  if (code && fastifyCodes[code]) return new Problem(fastifyCodes[code], { cause: error });
  if (error instanceof HttpException)
    return new Problem(statusCodes[error.getStatus()] ?? 'internal-error', { cause: error });
  if (error instanceof StorageError) {
    if (error.kind === 'missing') return new Problem('not-found', { cause: error });
    return new Problem('dependency-unavailable', { headers: RETRY, cause: error });
  }
  if (isSyntaxError(error))
    return new Problem('malformed-request', { detail: 'The body is not valid JSON.', cause: error });
  return translateDatabaseError(error, code);
}

function translateDatabaseError(error: unknown, code: string | undefined): Problem {
  if (code === QUERY_CANCELED) return new Problem('request-timeout', { cause: error });
  if (code && DATA_EXCEPTION.test(code)) {
    return new Problem('validation-failed', { detail: 'A value cannot be stored.', cause: error });
  }
  if (isDatabaseUnavailable(error)) return new Problem('dependency-unavailable', { headers: RETRY, cause: error });
  return new Problem('internal-error', { cause: error });
}

/** Parsers throw an error with status 400 and without a code of Fastify. */
function isSyntaxError(error: unknown): boolean {
  return error instanceof SyntaxError && 'statusCode' in error && error.statusCode === 400;
}
