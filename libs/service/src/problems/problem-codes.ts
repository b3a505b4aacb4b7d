/**
 * Every error the API answers with. A code is a promise: clients branch on it, so it is never renamed or given another
 * meaning. Each has a page in docs/errors/; a spec compares the two in both directions.
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
    meaning: 'The cursor was changed, or made by a list with another filter or order.',
    remedy: 'Begin again without a cursor, and pass each next cursor on unchanged.',
  },
  unauthenticated: {
    status: 401,
    title: 'A valid bearer token is needed',
    meaning: 'The token is missing, expired, not yet valid, not meant for this API, or not signed by its issuer.',
    remedy: 'Get a new token from the issuer and send it as `Authorization: Bearer …`.',
  },
  'not-found': {
    status: 404,
    title: 'There is nothing here',
    meaning: 'The address does not exist, or what it names does not belong to the caller.',
    remedy: 'Check the address and the identity that the token carries.',
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
    meaning: 'The connection was open, and the request was not complete within the time limit. Nothing of it was done.',
    remedy: 'Send the request at once, and over a connection that carries it.',
  },
  conflict: {
    status: 409,
    title: 'The request conflicts with another record',
    meaning: 'Another record already has a value that must be unique, or still refers to this one.',
    remedy: 'Choose another value for each listed field, or change the other record first.',
  },
  'precondition-failed': {
    status: 412,
    title: 'The record has changed',
    meaning: 'The `If-Match` header names another version than the current one: somebody changed the record.',
    remedy: 'Read the record again, apply the change to it, and send its new ETag.',
  },
  'body-too-large': {
    status: 413,
    title: 'The body is too large',
    meaning: 'The body is larger, deeper or holds longer lists than the API reads.',
    remedy: 'Send less in one request.',
  },
  'unsupported-media-type': {
    status: 415,
    title: 'The body must be JSON',
    meaning: 'The `Content-Type` is not one that the address reads, or the body has a `Content-Encoding`.',
    remedy: 'Send `Content-Type: application/json`, uncompressed.',
  },
  'expectation-failed': {
    status: 417,
    title: 'The expectation is not supported',
    meaning: 'The `Expect` header asks for something other than `100-continue`.',
    remedy: 'Leave the `Expect` header out.',
  },
  'validation-failed': {
    status: 422,
    title: 'The request is not valid',
    meaning: 'The request was read, but some of its fields are wrong. `errors` lists all of them by JSON pointer.',
    remedy: 'Mend each listed field.',
  },
  'precondition-required': {
    status: 428,
    title: 'The request must name the version it changes',
    meaning: 'A change or deletion without `If-Match` could overwrite what somebody else wrote.',
    remedy: 'Read the record and send its ETag as `If-Match`.',
  },
  'rate-limited': {
    status: 429,
    title: 'Too many requests',
    meaning: 'The limit of this user or address is used up; the `RateLimit` header says when it is restored.',
    remedy: 'Wait for the time in `Retry-After`.',
  },
  'headers-too-large': {
    status: 431,
    title: 'The headers are too large',
    meaning: 'The address and the headers together are larger than the API reads.',
    remedy: 'Send fewer or shorter headers; look at the cookies first.',
  },
  'internal-error': {
    status: 500,
    title: 'Something went wrong here',
    meaning: 'An error that nobody foresaw. It has been logged under the request id.',
    remedy: 'Try again later, and report the `instance` if it stays.',
  },
  overloaded: {
    status: 503,
    title: 'The service is busy',
    meaning: 'More requests came than can be answered in time; this one was turned away before any work.',
    remedy: 'Try again after the time in `Retry-After`.',
  },
  'request-timeout': {
    status: 503,
    title: 'The request took too long',
    meaning: 'The request was given up at the time limit. A change may or may not have been made.',
    remedy: 'Read the record before trying a change again.',
  },
  'dependency-unavailable': {
    status: 503,
    title: 'A part of the service is not available',
    meaning: 'The database or the keys of the issuer cannot be reached, or cannot do what is asked, at the moment.',
    remedy: 'Try again after the time in `Retry-After`.',
  },
} as const satisfies Record<string, { status: number; title: string; meaning: string; remedy: string }>;

export type ProblemCode = keyof typeof problems;
