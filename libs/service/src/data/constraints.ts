import { readCode } from '../failures/database-failures.js';
import { type FieldError, Problem } from '../problems/problem.js';

/** What a caller is told when a row breaks a constraint: which field is wrong, or that other rows stand against it. */
export interface ConstraintRule {
  /** A JSON pointer into the body, such as `#/name`; left out where no field of the request is wrong. */
  readonly pointer?: string;
  readonly detail: string;
}

/** By the name of the constraint. One that is not listed is an error of ours. */
export type Constraints = Readonly<Record<string, ConstraintRule>>;

const INTEGRITY = /^23/;
const [NOT_NULL, UNIQUE] = ['23502', '23505'];

/** @returns undefined for an error that is none of a listed constraint. The values in its message stay inside. */
export function explainConstraint(error: unknown, constraints: Constraints = {}): Problem | undefined {
  const code = readCode(error) ?? '';
  if (!INTEGRITY.test(code)) return undefined;
  const name = readConstraint(error as PostgresError, code);
  const rule = name !== undefined && Object.hasOwn(constraints, name) ? constraints[name] : undefined;
  if (!rule) return undefined;
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

/** PostgreSQL names the column that must not be null, and not its constraint, which it calls so by default. */
function readConstraint({ constraint, table, column }: PostgresError, code: string): string | undefined {
  return constraint ?? (code === NOT_NULL ? `${table}_${column}_not_null` : undefined);
}
