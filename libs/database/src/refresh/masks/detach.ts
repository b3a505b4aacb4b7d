/**
 * A part of a string keeps the whole string in memory, here a batch of rows. One that is kept for long needs its own
 * characters.
 */
export function detach(text: string): string {
  return Buffer.from(text).toString();
}
