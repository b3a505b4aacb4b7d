const MAX_LENGTH = 255;
/**
 * Matches control, surrogate and unassigned characters, line and paragraph separators, and white space at either end.
 */
const ODD = /[\p{Cc}\p{Cs}\p{Cn}\p{Zl}\p{Zp}]|^\s|\s$/u;

/**
 * Returns why a non-empty text is not a valid user id, or undefined if it is valid. An id owns rows and is compared
 * byte by byte, so an id that could be changed in transit is rejected, never repaired.
 */
export function findUserIdProblem(text: string): 'too long' | 'malformed' | undefined {
  if (text.length > MAX_LENGTH) return 'too long';
  return ODD.test(text) ? 'malformed' : undefined;
}

/** The rule for user ids, for messages. */
export const USER_ID_RULE = `1 to ${MAX_LENGTH} characters, without control characters and without white space at either end`;
