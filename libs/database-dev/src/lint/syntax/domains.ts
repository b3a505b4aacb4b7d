import type { ColumnDef } from 'libpg-query';
import type { DomainState } from '../trace/domain-state.js';
import { qualify } from './names.js';
import type { ParsedStatement } from './statement.js';

/** The domain of a column. An array of a domain is not one: PostgreSQL adds it without a look at the rows. */
export function domainOf({ domains }: ParsedStatement, column: ColumnDef | undefined): DomainState | undefined {
  const { names, arrayBounds } = column?.typeName ?? {};
  return arrayBounds === undefined ? domains.get(qualify(names)) : undefined;
}
