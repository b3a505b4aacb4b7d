/** One identifier of SQL as a pattern: bare, or in quotes with each inner quote doubled. */
export const IDENTIFIER = String.raw`(?:"(?:[^"\0]|"")+"|[A-Za-z_\u0080-\u{10FFFF}][\w$\u0080-\u{10FFFF}]*)`;

export const LONGEST_IDENTIFIER_BYTES = 63;

/** The name that PostgreSQL stores: quotes removed, bare ASCII letters folded, cut to 63 bytes. */
export function parseIdentifier(text: string): string {
  const name = text.startsWith('"')
    ? text.slice(1, -1).replaceAll('""', '"')
    : text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
  return clipIdentifier(name);
}

/** Cuts at a character, as PostgreSQL does. */
export function clipIdentifier(name: string, bytes = LONGEST_IDENTIFIER_BYTES): string {
  let clipped = '';
  let length = 0;
  for (const character of name) {
    length += Buffer.byteLength(character);
    if (length > bytes) break;
    clipped += character;
  }
  return clipped;
}
