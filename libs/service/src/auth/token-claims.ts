import { findUserIdProblem } from '@airlock/config';
import type { JWTPayload } from 'jose';
import { TokenRefusal } from '../failures/token-refusal.js';

/**
 * Whether a verified token is meant for this API (RFC 7519, 4.1.3): an `aud` must contain one of the names, and only a
 * token without `aud` is judged by `azp`.
 *
 * @throws TokenRefusal
 */
export function assertMeantForUs({ aud, azp }: JWTPayload, names: readonly string[]): void {
  if (aud === undefined) return assertParty(azp, names);
  const audiences: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  if (audiences.length === 0 || !audiences.every(isText)) throw new TokenRefusal('claim-malformed', 'aud');
  if (audiences.some((audience) => names.includes(audience))) return;
  const isSlash = audiences.some((audience) => differsBySlash(audience, names));
  throw new TokenRefusal(isSlash ? 'audience-slash' : 'audience-mismatch', 'aud');
}

/**
 * The subject as the owner of rows. It must satisfy the rule of `findUserIdProblem`.
 *
 * @throws TokenRefusal
 */
export function readSubject({ sub }: JWTPayload): string {
  if (!isText(sub)) throw new TokenRefusal('claim-malformed', 'sub');
  const problem = findUserIdProblem(sub);
  if (problem) throw new TokenRefusal(problem === 'too long' ? 'subject-too-long' : 'subject-malformed', 'sub');
  return sub;
}

/**
 * The roles of the caller: a list of texts, or one text with spaces between them. Anything else, and a token without the
 * claim, has no roles.
 *
 * @param claim the name of a claim, which may contain dots, or a path through objects such as `realm_access.roles`
 */
export function readRoles(claims: JWTPayload, claim: string): readonly string[] {
  const value = Object.hasOwn(claims, claim) ? claims[claim] : readPath(claims, claim.split('.'));
  if (typeof value === 'string') return value.split(' ').filter((role) => role !== '');
  return Array.isArray(value) ? value.filter(isText) : [];
}

function readPath(from: unknown, [name, ...rest]: readonly string[]): unknown {
  if (name === undefined) return from;
  const isObject = typeof from === 'object' && from !== null && Object.hasOwn(from, name);
  return isObject ? readPath((from as Record<string, unknown>)[name], rest) : undefined;
}

export function differsBySlash(text: string, names: readonly string[]): boolean {
  const withoutSlash = (name: string) => name.replace(/\/$/, '');
  return names.some((name) => name !== text && withoutSlash(name) === withoutSlash(text));
}

function assertParty(azp: unknown, names: readonly string[]): void {
  if (azp === undefined) throw new TokenRefusal('claim-missing', 'azp');
  if (!isText(azp)) throw new TokenRefusal('claim-malformed', 'azp');
  if (names.includes(azp)) return;
  throw new TokenRefusal(differsBySlash(azp, names) ? 'party-slash' : 'party-mismatch', 'azp');
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
