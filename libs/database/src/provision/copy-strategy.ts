import type { Queryable } from '../identity/queryable.js';

/** Copying files is several times faster than logging each page, unless the server must flush every copied file. */
export async function chooseCopyStrategy(client: Queryable): Promise<'FILE_COPY' | 'WAL_LOG'> {
  const { rows } = await client.query<{ fsync: string }>(`SELECT pg_catalog.current_setting('fsync') AS fsync`);
  return rows[0]?.fsync === 'off' ? 'FILE_COPY' : 'WAL_LOG';
}
