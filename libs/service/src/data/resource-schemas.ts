import { z } from 'zod';
import { longestCursor } from './cursor.js';

/** Building blocks for the schemas of resources. */
const MAX_PAGE_SIZE = 100;
const DEFAULT_PAGE_SIZE = 20;

/** Text whose length is counted in characters, as PostgreSQL does. */
export function boundedText(min: number, max: number): z.ZodString {
  return z
    .string()
    .refine((value) => countCharacters(value, max) >= min, `is shorter than ${min}`)
    .refine((value) => countCharacters(value, max) <= max, `is longer than ${max}`)
    .meta({ minLength: min, maxLength: max });
}

/** The id of a record in the spelling that rows and cache keys use: lower case, with hyphens. */
export const id = z.uuid().toLowerCase().describe('The id of the record.');

/**
 * Any JSON value; the validation pipe rejects values that cannot be stored. The schema is `{}`, because client
 * generators drop operations with a recursive schema or write code that does not compile.
 */
export const jsonValue: z.ZodType = z.unknown();

/** RFC 3339 in UTC, to the microsecond. */
export const timestamp = z.iso
  .datetime({ precision: undefined })
  .describe('RFC 3339, UTC.')
  .meta({ examples: ['2026-01-31T12:00:00.123456Z'] });

export const limit = z
  .string()
  .regex(/^(100|[1-9]\d?)$/, `is not a whole number from 1 to ${MAX_PAGE_SIZE}`)
  .transform(Number)
  .default(DEFAULT_PAGE_SIZE)
  .meta({
    openapi: {
      type: 'integer',
      minimum: 1,
      maximum: MAX_PAGE_SIZE,
      default: DEFAULT_PAGE_SIZE,
      description: 'The largest number of records on a page.',
    },
  });

/** Values of a filter with the operator `in`: repeated in the query, or separated by commas, in any order. */
export function anyOf<const Value extends string>(values: readonly Value[]) {
  return z
    .union([z.string(), z.array(z.string())])
    .transform((given) => [...new Set([given].flat().flatMap((part) => part.split(',')))].sort())
    .pipe(z.array(z.enum(values)).min(1))
    .meta({ openapi: { type: 'array', items: { type: 'string', enum: values }, minItems: 1 } });
}

/** A filter with the operator `is null`. */
export const yesOrNo = z
  .enum(['true', 'false'])
  .transform((value) => value === 'true')
  .meta({ openapi: { type: 'boolean' } });

/** @param characters the length of the longest text that the list may be sorted by, because the cursor contains it */
export function cursor(characters: number) {
  return z
    .string()
    .regex(new RegExp(`^[A-Za-z0-9_-]{1,${longestCursor(characters)}}$`), 'is not a cursor')
    .optional()
    .describe('The `nextCursor` of the previous page.');
}

/** Counts a surrogate pair as one character. Texts that are certainly too long are not counted. */
function countCharacters(value: string, limit: number): number {
  return value.length > 2 * limit ? limit + 1 : [...value].length;
}
