// Compares the built API, with everything on, with (a) bare.mjs and (b) nest-typeorm.mjs on one database, in turns, so that
// what else the machine does falls on all alike. `nx run-many -t build && node --import ./tools/typescript.mjs bench/api/run.mjs`
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { BUILT_API, median, path, readResidentMb, withWorld } from './world.mjs';

const ROUNDS = Number(process.argv[2] ?? 5);
const LOAD_MS = Number(process.argv[3] ?? 3_000);
const CONNECTIONS = 32;

await withWorld({}, async (world) => {
  const id = await fillTables(world);
  const plain = JSON.stringify(world.plainOptions);
  await world.start('a: Fastify + pg', [path('./bare.mjs'), plain]);
  await world.start('b: Nest + TypeORM', [path('./nest-typeorm.mjs'), plain]);
  await world.start('the API', [BUILT_API]);
  await measure(world, id);
});

async function measure({ servers, issuer }, id) {
  const createRequest = (...parts) => formatRequest(issuer.token, ...parts);
  const requests = {
    read: createRequest('GET', `/api/v1/entities/${id}`),
    list: createRequest('GET', '/api/v1/entities?limit=20'),
    create: createRequest('POST', '/api/v1/entities', JSON.stringify({ name: 'bench', attributes: { a: 1 } })),
    readyz: createRequest('GET', '/readyz'),
  };
  for (const [name, request] of Object.entries(requests)) {
    const results = new Map(servers.map((server) => [server.name, []]));
    for (let round = 0; round <= ROUNDS; round += 1) {
      for (const server of servers) {
        const result = await load(server, request);
        // The first round warms up.
        if (round > 0) results.get(server.name)?.push(result);
      }
    }
    report(name, results);
  }
  for (const { name, child, startMs } of servers)
    console.log(`${name}: start ${startMs} ms, resident ${readResidentMb(child)} MB after load`);
}

function report(name, results) {
  const base = median([...results.values()][0]?.map(({ perSecond }) => perSecond) ?? []);
  for (const [server, rounds] of results) {
    const perSecond = median(rounds.map((round) => round.perSecond));
    const p99 = median(rounds.map((round) => round.p99));
    const statuses = [...new Set(rounds.flatMap((round) => Object.keys(round.statuses)))].join(' ');
    console.log(
      `${name.padEnd(7)} ${server.padEnd(18)} ${String(perSecond).padStart(6)}/s  ${(perSecond / base).toFixed(2)} of a  p99 ${p99} ms  (${statuses})`,
    );
  }
}

async function load(server, request) {
  const options = { port: Number(new URL(server.url).port), connections: CONNECTIONS, ms: LOAD_MS, request };
  const { stdout } = await promisify(execFile)(process.execPath, [path('./load.mjs'), JSON.stringify(options)]);
  return JSON.parse(stdout);
}

function formatRequest(token, method, target, body = '') {
  const length = body ? `content-type: application/json\r\ncontent-length: ${body.length}\r\n` : '';
  return `${method} ${target} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${token}\r\n${length}\r\n${body}`;
}

/** The same rows twice: under row-level security for the API, in a plain table for the others. */
function fillTables(world) {
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
