import type { ArgumentMetadata, PipeTransform } from '@nestjs/common';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { currentContext } from '../context/request-context.js';
import { type FieldError, Problem } from '../problems/problem.js';
import { findUnstorable } from './storable.js';

const MAX_ERRORS = 100;

/** Validates each `@Body({ schema })`, `@Query({ schema })` and `@Param({ schema })`, and lists all errors. */
export class ValidationPipe implements PipeTransform {
  async transform(value: unknown, { schema, type }: ArgumentMetadata): Promise<unknown> {
    if (!schema || type === 'custom') return value;
    const result = await validateInput(value, schema, prefixOf(type));
    if (result.errors.length === 0) return result.value;
    const found = currentContext()?.fieldErrors ?? [];
    found.push(...result.errors);
    // Nest validates the parts of a request in parallel and reports the first failure. Wait, so that it lists all
    // errors.
    await new Promise(setImmediate);
    throw new Problem('validation-failed', { errors: found.slice(0, MAX_ERRORS) });
  }
}

/** Checks a value from outside. With errors, the result has no `value`. */
export async function validateInput(
  value: unknown,
  schema: StandardSchemaV1,
  prefix = '',
): Promise<{ value?: unknown; errors: FieldError[] }> {
  const unstorable = findUnstorable(value, (path, detail) => ({ pointer: createPointer(prefix, path), detail }));
  const result = await schema['~standard'].validate(value);
  if (!result.issues && unstorable.length === 0) return { value: result.value, errors: [] };
  return { errors: withoutRepeats([...unstorable, ...describeIssues(result.issues ?? [], prefix)]) };
}

/** Several checks of a schema may report the same error for one place; each is listed once. */
function withoutRepeats(errors: readonly FieldError[]): FieldError[] {
  const first = new Map(errors.map((error) => [`${error.pointer} ${error.detail}`, error]));
  return [...first.values()];
}

export function describeIssues(issues: readonly StandardSchemaV1.Issue[], prefix: string): FieldError[] {
  return issues.flatMap(({ path = [], message, ...rest }) => {
    const parts = path.map((part) => (typeof part === 'object' ? part.key : part));
    // An unknown key is reported at the key, not at the object that contains it.
    const keys = 'keys' in rest && Array.isArray(rest.keys) ? (rest.keys as string[]) : undefined;
    return keys
      ? keys.map((key) => ({ pointer: createPointer(prefix, [...parts, key]), detail: 'unknown property' }))
      : [{ pointer: createPointer(prefix, parts), detail: message }];
  });
}

/** RFC 6901, as the fragment of a URI. */
function createPointer(prefix: string, parts: readonly PropertyKey[]): string {
  const escaped = parts.map((part) =>
    encodeURIComponent(String(part).replaceAll('~', '~0').replaceAll('/', '~1').toWellFormed()),
  );
  return `#${[prefix, ...escaped].join('/')}`;
}

/** A pointer into the body starts at its root. Pointers into other parts begin with the name of the part. */
function prefixOf(type: string): string {
  if (type === 'query') return '/query';
  return type === 'param' ? '/path' : '';
}
