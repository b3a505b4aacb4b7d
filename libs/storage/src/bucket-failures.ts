import { StorageError } from './storage-error.js';

/** Answers of a server that only an operator can change, by the code of S3. */
const REFUSALS: Readonly<Record<string, string>> = {
  AccessDenied: 'denies access to the key',
  InvalidAccessKeyId: 'does not know the access key',
  SignatureDoesNotMatch: 'rejects the secret key',
  NoSuchBucket: 'does not exist',
  PermanentRedirect: 'is in another region',
  AuthorizationHeaderMalformed: 'is in another region',
  PreconditionFailed: 'got its stamp from another process at the same time',
};
const MISSING = new Set(['NoSuchKey', 'NotFound']);
/** Of HTTP and of Node: the content that was to be stored failed, not the server. */
const isOfServer = (error: object): boolean => '$metadata' in error || ('code' in error && 'syscall' in error);
const NETWORK = /^(TimeoutError|ECONNRESET|EPIPE|ECONNREFUSED|NetworkingError)$/;

/** @returns the error itself if the content failed, and not the server */
export function describeFailure(error: unknown, description: string): Error {
  if (!(error instanceof Error) || error instanceof StorageError) return error as Error;
  const { name } = error;
  if (MISSING.has(name)) return new StorageError('missing', 'storage: no such object', error);
  const refusal = REFUSALS[name];
  if (refusal !== undefined)
    return new StorageError(
      'refused',
      `STORAGE_URL: ${description} ${refusal} (${name})\n  correct STORAGE_URL`,
      error,
    );
  if (!isOfServer(error) && !NETWORK.test(name)) return error;
  return new StorageError('unavailable', `storage: ${description} fails with ${name}`, error);
}
