import { Problem } from '../problems/problem.js';
import { CallerRefusal } from './caller-refusal.js';

interface RefusalText {
  /** The error, for an operator who reads the access log. */
  readonly meaning: string;
  readonly remedy: string;
}

/**
 * Every reason to reject a caller. The access line of the request names the reason and the claim, never the claim's
 * value. A spec checks that a test token exists for each reason, and that docs/runbooks/refused-tokens.md matches this
 * list.
 */
export const refusals = {
  'header-missing': {
    meaning: 'The request has no `Authorization` header.',
    remedy: 'Send the header; check that no proxy removes it.',
  },
  'header-repeated': {
    meaning: 'The request has more than one `Authorization` header.',
    remedy: 'Send one; check whether a proxy adds its own.',
  },
  'header-malformed': {
    meaning: 'The header is not `Bearer`, one space and three base64url parts joined by dots.',
    remedy: 'Send a signed JWT; opaque and encrypted tokens are not supported.',
  },
  'token-too-long': {
    meaning: 'The token is longer than 8,192 characters.',
    remedy: 'Remove claims at the issuer.',
  },
  'token-malformed': {
    meaning: 'A part of the token is not base64url or not a JSON object, or the token requires an unknown extension.',
    remedy: 'Check that the token arrives unchanged, and which parameters the issuer puts into its header.',
  },
  'algorithm-not-allowed': {
    meaning: 'The header names an algorithm other than ES256, RS256 and EdDSA.',
    remedy: 'Change the signing algorithm at the issuer.',
  },
  'key-unknown': {
    meaning: 'The key set has no key with this `kid` and algorithm, even after a reload.',
    remedy: 'Check that `AUTH_JWKS_URL` belongs to the issuer of the token.',
  },
  'key-ambiguous': {
    meaning: 'The token has no `kid`, and more than one key of the set matches.',
    remedy: 'Configure the issuer to set `kid`.',
  },
  'key-unusable': {
    meaning: 'The key set describes this key in a way that cannot be used.',
    remedy: 'Check the key set at `AUTH_JWKS_URL`.',
  },
  'keys-unavailable': {
    meaning:
      'The key set was never loaded; the response is 503, not 401. The log gives the reason: `auth.keys_not_loaded`.',
    remedy: 'Check that this process can reach `AUTH_JWKS_URL`.',
  },
  'signature-invalid': {
    meaning: 'The signature does not match the key.',
    remedy: 'Check that the token arrives unchanged. If it does, someone has forged it.',
  },
  'claim-missing': {
    meaning: 'The token lacks the claim. For `azp`: the token has neither `aud` nor `azp`.',
    remedy: 'Configure the issuer to add the claim.',
  },
  'claim-malformed': {
    meaning: 'The claim has the wrong type, is an empty list, or holds an empty text.',
    remedy: 'Correct the claim at the issuer.',
  },
  'issuer-mismatch': {
    meaning: '`iss` is not `AUTH_ISSUER`.',
    remedy: 'Check that `AUTH_ISSUER` and the token belong to the same environment.',
  },
  'issuer-slash': {
    meaning: '`iss` and `AUTH_ISSUER` differ only by a slash at the end.',
    remedy: 'Write `AUTH_ISSUER` exactly as the token has it.',
  },
  'audience-mismatch': {
    meaning: '`aud` does not contain a value of `AUTH_AUTHORIZED_PARTIES`; `azp` is ignored in this case.',
    remedy: 'If the token is meant for this API, add its audience to `AUTH_AUTHORIZED_PARTIES`.',
  },
  'audience-slash': {
    meaning: '`aud` and a value of `AUTH_AUTHORIZED_PARTIES` differ only by a slash at the end.',
    remedy: 'Write `AUTH_AUTHORIZED_PARTIES` exactly as the token has it.',
  },
  'party-mismatch': {
    meaning: 'The token has no `aud`, and `azp` is not a value of `AUTH_AUTHORIZED_PARTIES`.',
    remedy: 'If the client may use this API, add it to `AUTH_AUTHORIZED_PARTIES`.',
  },
  'party-slash': {
    meaning: '`azp` and a value of `AUTH_AUTHORIZED_PARTIES` differ only by a slash at the end.',
    remedy: 'Write `AUTH_AUTHORIZED_PARTIES` exactly as the token has it.',
  },
  expired: {
    meaning: '`exp` is more than 30 s in the past; `auth_seconds` gives the exact time.',
    remedy: 'Get a new token. If new tokens are refused too, compare the clocks of issuer and server.',
  },
  'not-yet-valid': {
    meaning: '`nbf` is more than 10 minutes in the future; `auth_seconds` gives the exact time.',
    remedy: 'Use the token later.',
  },
  'clock-skew': {
    meaning: '`nbf` is between 30 s and 10 minutes in the future: the clocks of issuer and server differ.',
    remedy: 'Synchronise the clock of this server and of the issuer (NTP).',
  },
  'subject-too-long': {
    meaning: '`sub` is longer than 255 UTF-16 units.',
    remedy: 'Configure the issuer to use a shorter identifier.',
  },
  'subject-malformed': {
    meaning:
      '`sub` contains a control character, a line separator, half of a surrogate pair or an unassigned character, or begins or ends with white space.',
    remedy: 'Configure the issuer to use a plain identifier. Subjects are compared byte by byte and never normalised.',
  },
} as const satisfies Record<string, RefusalText>;

export type RefusalCause = keyof typeof refusals;

/** Why a token was rejected; `seconds` is the difference between a time claim and the current time. */
export class TokenRefusal extends CallerRefusal<RefusalCause> {
  override readonly name = 'TokenRefusal';
}

/**
 * The response says only what RFC 6750 requires. The reason is for the operator, not for a caller that guesses tokens.
 */
export function unauthenticated(refusal: TokenRefusal): Problem {
  const challenge = refusal.reason === 'header-missing' ? 'Bearer' : 'Bearer error="invalid_token"';
  return new Problem('unauthenticated', { cause: refusal, headers: { 'www-authenticate': challenge } });
}
