/** The resource that checks of a running system read and write: over HTTP as a caller, and in SQL as an administrator. */
export const probedResource = {
  /** What the checks call one, and several. */
  noun: 'entity',
  plural: 'entities',
  path: '/api/v1/entities',
  table: 'public.entities',
  /** What creates one, and what changes it. */
  create: (name: string): object => ({ name, attributes: { colour: 'red' } }),
  change: (name: string): object => ({ name }),
  /** A statement that inserts a row of a user's. */
  insert: (userId: string): string =>
    `INSERT INTO public.entities (owner_id, name, attributes) VALUES ('${userId}', 'kept', '{}')`,
  /** A statement that counts the rows of a user. */
  count: (userId: string): string => `SELECT count(*) FROM public.entities WHERE owner_id = '${userId}'`,
  /** What differs from row to row where each create had another name. */
  distinct: 'name',
} as const;
