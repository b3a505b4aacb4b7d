/**
 * `denied`: the user refused. `refused`: the provider does not accept the code or the token, or its response does not fit
 * the request. `unavailable`: it cannot answer now.
 */
export type ProviderFailure = 'denied' | 'refused' | 'unavailable';

/** A failed request to a provider. It has no cause: those of the client library hold codes and tokens. */
export class ProviderError extends Error {
  override readonly name = 'ProviderError';
  readonly failure: ProviderFailure;

  constructor(provider: string, failure: ProviderFailure, code: string) {
    super(`${provider}: ${failure} (${code})`);
    this.failure = failure;
  }
}

const NAME = /^[A-Za-z0-9_-]{1,60}$/;

/** Translates an error of the client library. Only the names of its errors are kept. */
export function describeProviderError(provider: string, error: unknown): ProviderError {
  if (error instanceof ProviderError) return error;
  const { code, error: reason, status } = error as { code?: unknown; error?: unknown; status?: unknown };
  const name = [reason, code].find((text) => typeof text === 'string' && NAME.test(text)) as string | undefined;
  return new ProviderError(provider, classify({ code, reason, status }), name ?? 'no answer');
}

/** Errors of the provider's own (RFC 6749, 5.2), and those of checks that a response failed. */
function classify({ code, reason, status }: { code: unknown; reason: unknown; status: unknown }): ProviderFailure {
  if (code === 'OAUTH_AUTHORIZATION_RESPONSE_ERROR') return reason === 'access_denied' ? 'denied' : 'refused';
  if (code === 'OAUTH_RESPONSE_BODY_ERROR')
    return Number(status) < 500 && Number(status) !== 429 ? 'refused' : 'unavailable';
  return CHECKS.has(code) ? 'refused' : 'unavailable';
}

const CHECKS = new Set<unknown>([
  'OAUTH_INVALID_RESPONSE',
  'OAUTH_JWT_CLAIM_COMPARISON_FAILED',
  'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED',
  'OAUTH_JWT_TIMESTAMP_CHECK_FAILED',
]);
