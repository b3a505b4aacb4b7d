import { StorageError } from './storage-error.js';
import type { Purpose } from './storage-stamp.js';

/** Answers of a server that only an operator can change, by the code of S3. */
const REFUSALS: Readonly<Record<string, string>> = {
  InvalidAccessKeyId: 'does not know the access key',
  SignatureDoesNotMatch: 'rejects the secret key',
  NoSuchBucket: 'does not exist',
  PermanentRedirect: 'is in another region',
  AuthorizationHeaderMalformed: 'is in another region',
  PreconditionFailed: 'got its stamp from another process at the same time',
};
const MISSING = new Set(['NoSuchKey', 'NotFound']);
const NETWORK = /^(TimeoutError|ECONNRESET|EPIPE|ECONNREFUSED|NetworkingError)$/;

/** @returns the error itself if the content failed, and not the server */
export function describeBucketFailure(
  error: unknown,
  { description, purpose: { variable } }: { readonly description: string; readonly purpose: Purpose },
): Error {
  if (!(error instanceof Error) || error instanceof StorageError) return error as Error;
  const { name } = error;
  if (MISSING.has(name)) return new StorageError('missing', 'storage: no such object', error);
  const refusal = REFUSALS[name] ?? (isDenied(error) ? 'denies access' : undefined);
  if (refusal !== undefined)
    return new StorageError(
      'refused',
      `${variable}: ${description} ${refusal} (${name})\n  correct ${variable}`,
      error,
    );
  if (!isOfServer(error) && !NETWORK.test(name)) return error;
  return new StorageError(
    'unavailable',
    `storage: ${description} fails with ${'code' in error ? String(error.code) : name}`,
    error,
  );
}

function isDenied(error: object): boolean {
  const { $metadata: { httpStatusCode = 0 } = {} } = error as { $metadata?: { httpStatusCode?: number } };
  return httpStatusCode === 401 || httpStatusCode === 403;
}

/** An answer, or an error of the connection. The content that was to be stored has other errors. */
function isOfServer(error: object): boolean {
  return '$metadata' in error || ('code' in error && 'syscall' in error);
}
