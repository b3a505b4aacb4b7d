import { readCode } from '../failures/database-failures.js';
import { type FieldError, Problem } from '../problems/problem.js';

/** The error for a caller whose row violates a constraint: the field that is wrong, or a conflict with other rows. */
export interface ConstraintRule {
  /** A JSON pointer into the body, such as `#/name`; undefined if no field of the request is wrong. */
  readonly pointer?: string;
  readonly detail: string;
}

/**
 * Rules by the name of the constraint. `internal`: no request can violate it. A violation of such a constraint, or of one
 * without a rule, is an internal error.
 */
export type Constraints = Readonly<Record<string, ConstraintRule | 'internal'>>;

/** @throws Error if two resources have a rule for one constraint */
export function mergeConstraints(all: readonly Constraints[]): Constraints {
  const merged: Record<string, ConstraintRule | 'internal'> = {};
  for (const [name, rule] of all.flatMap((one) => Object.entries(one))) {
    if (Object.hasOwn(merged, name)) throw new Error(`${name}: two resources have a rule for it; expected one`);
    merged[name] = rule;
  }
  return merged;
}

const INTEGRITY = /^23/;
const [NOT_NULL, UNIQUE] = ['23502', '23505'];

/** @returns undefined unless the error violates a listed constraint. The values in its message are never shown. */
export function explainConstraint(error: unknown, constraints: Constraints): Problem | undefined {
  const code = readCode(error) ?? '';
  if (!INTEGRITY.test(code)) return undefined;
  const name = readConstraint(error as PostgresError, code);
  const rule = name !== undefined && Object.hasOwn(constraints, name) ? constraints[name] : undefined;
  if (!rule || rule === 'internal') return undefined;
  const { pointer, detail } = rule;
  if (pointer === undefined) return new Problem('conflict', { detail, cause: error });
  const errors: FieldError[] = [{ pointer, detail }];
  return new Problem(code === UNIQUE ? 'conflict' : 'validation-failed', { errors, cause: error });
}

interface PostgresError {
  readonly constraint?: string;
  readonly table?: string;
  readonly column?: string;
}

/** For NOT NULL, PostgreSQL reports only the column, so this builds the default name of the constraint. */
function readConstraint({ constraint, table, column }: PostgresError, code: string): string | undefined {
  return constraint ?? (code === NOT_NULL ? `${table}_${column}_not_null` : undefined);
}
