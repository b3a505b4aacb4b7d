import { errors, type JWTPayload } from 'jose';
import { type RefusalCause, TokenRefusal } from '../failures/token-refusal.js';
import { differsBySlash } from './token-claims.js';

/** A token that becomes valid within this time was made by a clock that is ahead of ours. */
const MAX_SKEW_SECONDS = 10 * 60;

const reasons: Readonly<Record<string, readonly [RefusalCause, claim?: string]>> = {
  [errors.JOSEAlgNotAllowed.code]: ['algorithm-not-allowed', 'alg'],
  [errors.JWKSNoMatchingKey.code]: ['key-unknown', 'kid'],
  [errors.JWKSMultipleMatchingKeys.code]: ['key-ambiguous', 'kid'],
  [errors.JWSSignatureVerificationFailed.code]: ['signature-invalid'],
  [errors.JWSInvalid.code]: ['token-malformed'],
  [errors.JWTInvalid.code]: ['token-malformed'],
};

/** The refusal for an error of jose. Errors of the platform come from the key that the token names. */
export function refuseToken(error: unknown, issuer: string): TokenRefusal {
  if (error instanceof errors.JWTExpired || error instanceof errors.JWTClaimValidationFailed)
    return refuseClaim(error, issuer);
  if (error instanceof errors.JOSENotSupported) return refuseUnsupported(error);
  const code = error instanceof errors.JOSEError ? error.code : '';
  return new TokenRefusal(...(reasons[code] ?? (['key-unusable', 'kid'] as const)));
}

function refuseClaim({ claim, reason, payload }: errors.JWTClaimValidationFailed, issuer: string): TokenRefusal {
  if (reason === 'missing') return new TokenRefusal('claim-missing', claim);
  if (reason === 'invalid') return new TokenRefusal('claim-malformed', claim);
  if (claim === 'iss') return refuseIssuer(payload, issuer);
  const seconds = Math.round(Math.abs(Date.now() / 1_000 - Number(payload[claim])));
  if (claim === 'exp') return new TokenRefusal('expired', claim, seconds);
  return new TokenRefusal(seconds > MAX_SKEW_SECONDS ? 'not-yet-valid' : 'clock-skew', claim, seconds);
}

function refuseIssuer({ iss }: JWTPayload, issuer: string): TokenRefusal {
  if (typeof iss !== 'string') return new TokenRefusal('claim-malformed', 'iss');
  return new TokenRefusal(differsBySlash(iss, [issuer]) ? 'issuer-slash' : 'issuer-mismatch', 'iss');
}

/** jose throws this for a critical extension, and for a key of the set whose type or curve it does not support. */
function refuseUnsupported({ message }: errors.JOSENotSupported): TokenRefusal {
  return message.startsWith('Extension Header Parameter')
    ? new TokenRefusal('token-malformed', 'crit')
    : new TokenRefusal('key-unusable', 'kid');
}
