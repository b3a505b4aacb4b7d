import { Problem } from '../problems/problem.js';
import { CallerRefusal } from './caller-refusal.js';

/** Every reason to reject a signed request, for the access log and docs/runbooks/refused-tokens.md. */
export const signatureRefusals = {
  'signature-missing': {
    meaning: 'The request lacks a header of the scheme.',
    remedy: 'Check that the sender signs its requests, and that no proxy removes the header.',
  },
  'signature-malformed': {
    meaning: 'A header of the scheme occurs twice or is not in the form of the scheme.',
    remedy: 'Compare the scheme of the route with the documentation of the sender.',
  },
  'signature-mismatch': {
    meaning: 'No signature matches the bytes of the body and a key.',
    remedy:
      'Check that the key belongs to this environment, and that no proxy changes the body. If both are right, the request is forged.',
  },
  'timestamp-outside-tolerance': {
    meaning:
      'The request was signed more than 5 minutes ago, or in the future; `auth_seconds` gives the age, negative for the future.',
    remedy: 'Compare the clocks. If they agree, the request is a repetition.',
  },
} as const satisfies Record<string, { meaning: string; remedy: string }>;

export type SignatureRefusalCause = keyof typeof signatureRefusals;

/** Why a signed request was rejected; `seconds` is the age of the signature. */
export class SignatureRefusal extends CallerRefusal<SignatureRefusalCause> {
  override readonly name = 'SignatureRefusal';
}

/** The response does not say which part failed. RFC 9110 requires the challenge. */
export function unsigned(refusal: SignatureRefusal, scheme: string): Problem {
  return new Problem('unauthenticated', { cause: refusal, headers: { 'www-authenticate': scheme } });
}
