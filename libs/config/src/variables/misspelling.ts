/**
 * Returns the known name that an unknown name probably means. Names are compared word by word with at most one error
 * per word, so that DATABSE_ULR is found, but names that only share a word (DATABASE_USER, HOSTNAME) are not.
 */
export function findMisspelt(name: string, known: readonly string[]): string | undefined {
  if (known.includes(name)) return undefined;
  const bare = stem(name);
  return known.find((candidate) => isSlip(bare, candidate) || (bare !== name && isSlip(name.toUpperCase(), candidate)));
}

const MAX_SLIPS = 2;

/** In short words a changed letter makes another word: POST is not PORT. */
const SHORT = 4;

function stem(name: string): string {
  return name.toUpperCase().replace(/_FILE$/, '');
}

function isSlip(name: string, candidate: string): boolean {
  if (Math.abs(name.length - candidate.length) > MAX_SLIPS) return false;
  if (name === candidate) return true;
  const words = name.split(/[_-]/);
  const wanted = candidate.split('_');
  if (words.length !== wanted.length) return words.join('') === wanted.join('');
  const slips = wanted.map((word, index) => distance(words[index] ?? '', word));
  if (wanted.length === 1 && candidate.length <= SHORT) return isSwap(name, candidate);
  return slips.every((count) => count <= 1) && slips.reduce((sum, count) => sum + count, 0) <= MAX_SLIPS;
}

function isSwap(name: string, candidate: string): boolean {
  return (
    name.length === candidate.length && distance(name, candidate) === 1 && sortLetters(name) === sortLetters(candidate)
  );
}

function sortLetters(text: string): string {
  return [...text].sort().join('');
}

/** Damerau-Levenshtein distance with adjacent swaps. */
function distance(a: string, b: string): number {
  const rows = Array.from({ length: a.length + 1 }, (_, i) =>
    Array.from({ length: b.length + 1 }, (_, j) => (i === 0 ? j : j === 0 ? i : 0)),
  );
  const at = (i: number, j: number) => rows[i]?.[j] ?? Infinity;
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1];
      const isSwapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const best = Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, at(i - 1, j - 1) + (isSame ? 0 : 1));
      (rows[i] as number[])[j] = isSwapped && !isSame ? Math.min(best, at(i - 2, j - 2) + 1) : best;
    }
  }
  return at(a.length, b.length);
}
