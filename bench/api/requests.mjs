// The requests and rows of the API benches.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { path } from './world.mjs';

const CONNECTIONS = 32;

export async function load(server, request, ms) {
  const options = { port: Number(new URL(server.url).port), connections: CONNECTIONS, ms, request };
  const { stdout } = await promisify(execFile)(process.execPath, [path('./load.mjs'), JSON.stringify(options)]);
  return JSON.parse(stdout);
}

export function formatRequest(token, method, target, body = '') {
  const length = body ? `content-type: application/json\r\ncontent-length: ${body.length}\r\n` : '';
  return `${method} ${target} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${token}\r\n${length}\r\n${body}`;
}

/** The same rows twice: under row-level security for the API, in a plain table for the others. */
export function fillTables(world) {
  return world.asAdmin(async (client) => {
    await client.query(
      `INSERT INTO entities (owner_id, name, attributes) SELECT 'user_' || n % 50, 'row ' || n, '{"a": 1}' FROM generate_series(1, 20000) n`,
    );
    await client.query('CREATE TABLE bench_entities (LIKE entities INCLUDING ALL)');
    await client.query('INSERT INTO bench_entities SELECT * FROM entities');
    await client.query('GRANT ALL ON bench_entities TO airlock_app');
    await client.query('ANALYZE');
    const { rows } = await client.query(`SELECT id FROM entities WHERE owner_id = 'user_1' LIMIT 1`);
    return rows[0]?.id ?? '';
  });
}
