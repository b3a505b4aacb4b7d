import type { FieldError } from '../problems/problem.js';

const DETAIL = 'holds characters that cannot be stored';
const NUMBER_DETAIL = 'is not a number that can be stored';

type Found = (path: readonly string[], detail: string) => void;

/**
 * Finds what PostgreSQL cannot keep, or would keep as something else, anywhere in a part of a request: NUL and half of a
 * surrogate pair in texts and keys, and numbers that are too large for one. The depth is bounded by the body parser.
 */
export function findUnstorable(value: unknown, createError: (path: readonly string[], detail: string) => FieldError) {
  const errors: FieldError[] = [];
  visit(value, [], (path, detail) => errors.push(createError([...path], detail)));
  return errors;
}

/** The path is one list for the whole walk: most values are fine, and none of them is worth a list of its own. */
function visit(value: unknown, path: string[], found: Found): void {
  if (typeof value === 'string') {
    if (!isStorable(value)) found(path, DETAIL);
  } else if (typeof value === 'number') {
    if (!Number.isFinite(value)) found(path, NUMBER_DETAIL);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, part] of Object.entries(value)) {
      path.push(key);
      if (!isStorable(key)) found(path, DETAIL);
      visit(part, path, found);
      path.pop();
    }
  }
}

function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}
