/**
 * Every error that the API returns. Clients branch on the code, so a code is never renamed and never gets another
 * meaning. Each code has a page in docs/errors/; a spec compares both in both directions.
 */
export const problems = {
  'malformed-request': {
    status: 400,
    title: 'The request cannot be read',
    meaning: 'The request is not valid HTTP, the address is not validly encoded, or the body is not JSON.',
    remedy: 'Send a well-formed request; the detail says what is wrong.',
  },
  'invalid-cursor': {
    status: 400,
    title: 'The cursor does not belong to this list',
    meaning: 'The cursor was changed, or comes from a list with another filter or order.',
    remedy: 'Start again without a cursor, and send each `nextCursor` unchanged.',
  },
  unauthenticated: {
    status: 401,
    title: 'A valid bearer token or signature is required',
    meaning:
      'The token is missing, expired, not yet valid, not meant for this API, or not signed by its issuer. For a webhook: the signature is missing, too old, or does not match the body.',
    remedy:
      'Get a new token from the issuer and send it as `Authorization: Bearer …`. For a webhook: sign the bytes of the body with the current key.',
  },
  forbidden: {
    status: 403,
    title: 'The caller is not allowed to do this',
    meaning:
      'The roles in the token do not include the one that the address requires. For a WebSocket: the page that connects is of another origin than those that the API allows.',
    remedy:
      'Ask an administrator of the issuer for the role, and get a new token. For a page: add its origin to `CORS_ORIGINS`.',
  },
  'not-found': {
    status: 404,
    title: 'The resource does not exist',
    meaning: 'The address does not exist, or its record does not belong to the caller.',
    remedy: 'Check the address and the user in the token.',
  },
  'method-not-allowed': {
    status: 405,
    title: 'The address does not support this method',
    meaning: 'The address exists, but not for this method.',
    remedy: 'Use one of the methods in the `Allow` header.',
  },
  'incomplete-request': {
    status: 408,
    title: 'The request did not arrive in time',
    meaning: 'The request was not complete within the time limit. No part of it was processed.',
    remedy: 'Send the whole request without pauses, over a connection that is fast enough.',
  },
  conflict: {
    status: 409,
    title: 'The request conflicts with another record',
    meaning: 'Another record already has a value that must be unique, or still refers to this record.',
    remedy: 'Choose another value for each listed field, or change the other record first.',
  },
  'precondition-failed': {
    status: 412,
    title: 'The record has changed',
    meaning: 'The `If-Match` header names an older version: the record was changed by another request.',
    remedy: 'Read the record again, apply the change to the new version, and send its ETag.',
  },
  'body-too-large': {
    status: 413,
    title: 'The body is too large',
    meaning:
      'The body or a file in it is larger, or the body is nested deeper or has longer lists, than the API accepts.',
    remedy: 'Send a smaller file, or split the data into several requests.',
  },
  'unsupported-media-type': {
    status: 415,
    title: 'The media type of the body is not supported',
    meaning: 'The address does not support the `Content-Type`, or the body has a `Content-Encoding`.',
    remedy:
      'Send `Content-Type: application/json`, or `multipart/form-data` to an address that takes files, uncompressed.',
  },
  'expectation-failed': {
    status: 417,
    title: 'The expectation is not supported',
    meaning: 'The `Expect` header has another value than `100-continue`.',
    remedy: 'Remove the `Expect` header.',
  },
  'validation-failed': {
    status: 422,
    title: 'The request is not valid',
    meaning: 'Some fields of the request are invalid. `errors` lists all of them by JSON pointer.',
    remedy: 'Correct each listed field.',
  },
  'upgrade-required': {
    status: 426,
    title: 'The address is a WebSocket',
    meaning: 'The address responds only to the opening handshake of a WebSocket, version 13.',
    remedy: 'Connect with a WebSocket client. A proxy in between must pass `Upgrade` and `Connection`.',
  },
  'precondition-required': {
    status: 428,
    title: 'The request must name the version it changes',
    meaning: 'A change or deletion without `If-Match` could overwrite the change of another request.',
    remedy: 'Read the record and send its ETag as `If-Match`.',
  },
  'rate-limited': {
    status: 429,
    title: 'Too many requests',
    meaning:
      'The user or address has reached its limit of requests, of uploads at once, or of open event streams and WebSockets. The `RateLimit` header gives the time of the reset.',
    remedy: 'Try again after the time in `Retry-After`.',
  },
  'headers-too-large': {
    status: 431,
    title: 'The headers are too large',
    meaning: 'The address and the headers together are larger than the API accepts.',
    remedy: 'Send fewer or shorter headers; check the cookies first.',
  },
  'internal-error': {
    status: 500,
    title: 'Internal error',
    meaning: 'An unexpected error. It has been logged with the request id.',
    remedy: 'Try again later. If the error persists, report its `instance`.',
  },
  overloaded: {
    status: 503,
    title: 'The service is overloaded',
    meaning: 'The service cannot process all requests in time. This request was rejected before any work.',
    remedy: 'Try again after the time in `Retry-After`.',
  },
  'request-timeout': {
    status: 503,
    title: 'The request timed out',
    meaning: 'The request timed out. The change may or may not have been applied.',
    remedy: 'Read the record before sending a change again.',
  },
  'dependency-unavailable': {
    status: 503,
    title: 'A dependency is unavailable',
    meaning:
      'The database, the storage of files or the key set of the issuer is unreachable, or cannot process the request at the moment.',
    remedy: 'Try again after the time in `Retry-After`.',
  },
} as const satisfies Record<string, { status: number; title: string; meaning: string; remedy: string }>;

export type ProblemCode = keyof typeof problems;
