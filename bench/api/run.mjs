// Compares the built API, with everything enabled, with (a) bare.mjs and (b) nest-typeorm.mjs on one database. They
// take turns, so that other load on the machine affects all alike.
// `nx run-many -t build && node --import ./tools/typescript.mjs bench/api/run.mjs`
import { fillTables, formatRequest, load } from './requests.mjs';
import { BUILT_API, median, path, readResidentMb, withWorld } from './world.mjs';

const ROUNDS = Number(process.argv[2] ?? 5);
const LOAD_MS = Number(process.argv[3] ?? 3_000);

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
        const result = await load(server, request, LOAD_MS);
        // The first round is a warm-up.
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
