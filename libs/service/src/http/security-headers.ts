import { type Environment, traitsOf } from '@airlock/config';

const YEAR_SECONDS = 31_536_000;

/** For an API that serves data: by default, responses must not be framed, sniffed, executed or cached. */
const BASE = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

/** HSTS is sent only where TLS is certain. Otherwise a developer's browser could no longer open http://localhost. */
export function createSecurityHeaders(environment: Environment): Readonly<Record<string, string>> {
  const hasTls = !traitsOf(environment).mayLackTls;
  return { ...BASE, ...(hasTls && { 'strict-transport-security': `max-age=${YEAR_SECONDS}; includeSubDomains` }) };
}
