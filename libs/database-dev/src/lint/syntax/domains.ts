import type { ColumnDef } from 'libpg-query';
import type { DomainState } from './domain-state.js';
import { qualify } from './names.js';

interface Context {
  readonly domains: ReadonlyMap<string, DomainState>;
}

/** The domain of a column. An array of a domain is not one: PostgreSQL adds it without reading the rows. */
export function domainOf({ domains }: Context, column: ColumnDef | undefined): DomainState | undefined {
  const { names, arrayBounds } = column?.typeName ?? {};
  return arrayBounds === undefined ? domains.get(qualify(names)) : undefined;
}
