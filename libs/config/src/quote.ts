const MAX_SHOWN = 60;

/**
 * Shows a value so that what differs can be seen: quoted, look-alike letters and control characters as escapes. What may
 * be a secret in the wrong place (an address with a password, a key, one of the secrets at hand) is not shown.
 */
export function quote(text: string, secrets: readonly string[] = []): string {
  const holdsSecret = secrets.some((secret) => secret.length > 0 && (text.includes(secret) || secret.includes(text)));
  if (holdsSecret || /@|-----BEGIN|eyJ/.test(text)) return 'a value that may hold a secret';
  if (text.length > MAX_SHOWN) return `a text of ${text.length} characters`;
  return JSON.stringify(text).replace(
    /[^\x20-\x7e]/g,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
