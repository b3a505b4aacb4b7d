import type { FieldError } from '../problems/problem.js';

const DETAIL = 'contains characters that cannot be stored';
const NUMBER_DETAIL = 'is not a number that can be stored';

type Found = (path: readonly string[], detail: string) => void;

/**
 * Finds values that PostgreSQL cannot store or would change, anywhere in a part of a request: NUL and half of a
 * surrogate pair in texts and keys, and numbers that are too large. The body parser limits the depth.
 */
export function findUnstorable(value: unknown, createError: (path: readonly string[], detail: string) => FieldError) {
  const errors: FieldError[] = [];
  visit(value, [], (path, detail) => errors.push(createError([...path], detail)));
  return errors;
}

/** All calls share one mutable path, which avoids an allocation per value. */
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
