/**
 * The resource that checks of a running system read and write: over HTTP as a caller, and in SQL as an administrator.
 */
export const probedResource = {
  /** The singular and plural in the output of the checks. */
  noun: 'entity',
  plural: 'entities',
  path: '/api/v1/entities',
  table: 'public.entities',
  /** The bodies of the requests that create and change a record. */
  create: (name: string): object => ({ name, attributes: { colour: 'red' } }),
  change: (name: string): object => ({ name }),
  /** A statement that inserts a row for a user. */
  insert: (userId: string): string =>
    `INSERT INTO public.entities (owner_id, name, attributes) VALUES ('${userId}', 'kept', '{}')`,
  /** A statement that counts the rows of a user. */
  count: (userId: string): string => `SELECT count(*) FROM public.entities WHERE owner_id = '${userId}'`,
  /** The property that differs between rows that were created with different names. */
  distinct: 'name',
} as const;
