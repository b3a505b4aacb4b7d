/** A known secret: the variable that contains it, and the secret itself. */
export interface KnownSecret<Name extends string = string> {
  readonly name: Name;
  readonly text: string;
}

const MAX_SHOWN = 60;

/**
 * Quotes a value, with look-alike letters and control characters as escapes. A value that may be a misplaced secret (an
 * address with a password, a key, one of the known secrets) is not shown.
 */
export function quote(text: string, secrets: readonly KnownSecret[]): string {
  if (secrets.some((secret) => overlaps(text, secret.text)) || /@|-----BEGIN|eyJ/.test(text))
    return 'a value that may hold a secret';
  if (text.length > MAX_SHOWN) return `a text of ${text.length} characters`;
  return JSON.stringify(text).replace(
    /[^\x20-\x7e]/g,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Shorter texts could occur in secrets by chance. */
const MIN_TELLING = 6;

function overlaps(text: string, secret: string): boolean {
  if (text === secret) return true;
  return (
    (secret.length >= MIN_TELLING && text.includes(secret)) || (text.length >= MIN_TELLING && secret.includes(text))
  );
}
