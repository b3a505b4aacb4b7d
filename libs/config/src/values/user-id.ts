const MAX_LENGTH = 255;
/** Control, surrogate and unassigned characters, line and paragraph separators, white space at either end. */
const ODD = /[\p{Cc}\p{Cs}\p{Cn}\p{Zl}\p{Zp}]|^\s|\s$/u;

/**
 * Why a text that is not empty is not the id of a user, undefined where it is one. An id owns rows and is compared byte by byte:
 * one that could be changed on the way is refused, never repaired.
 */
export function findUserIdProblem(text: string): 'too long' | 'malformed' | undefined {
  if (text.length > MAX_LENGTH) return 'too long';
  return ODD.test(text) ? 'malformed' : undefined;
}

/** What the rule expects, for a message. */
export const USER_ID_RULE = `1 to ${MAX_LENGTH} characters, without control characters and without white space at either end`;
