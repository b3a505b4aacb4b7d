// Shared by the servers that the API is compared with: the same pool on the same database.
import pg from 'pg';

export const columns = `id, name, attributes, version,
  to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "createdAt",
  to_char(updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "updatedAt"`;

export function createOptions() {
  return JSON.parse(process.argv[2]);
}

export function createPool() {
  // eslint-disable-next-line no-restricted-syntax -- the compared servers must not use this workspace's libraries
  return new pg.Pool(createOptions());
}

export async function listen(server) {
  await server.listen({ host: '127.0.0.1', port: 0 });
  console.log(JSON.stringify({ event: 'listening', url: `http://127.0.0.1:${server.server.address().port}` }));
}
