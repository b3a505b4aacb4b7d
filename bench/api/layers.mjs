// The cost of each layer of the API for a read by id: the same request to servers that each have one more layer, in
// turns. `nx run-many -t build && node --import ./tools/typescript.mjs bench/api/layers.mjs [rounds] [milliseconds per
// round]`
import { startRedis } from './outage/redis.mjs';
import { fillTables, formatRequest, load } from './requests.mjs';
import { BUILT_API, median, path, withWorld } from './world.mjs';
import { LAYERS } from './layer-names.mjs';

const ROUNDS = Number(process.argv[2] ?? 9);
const LOAD_MS = Number(process.argv[3] ?? 2_000);

await withWorld({}, async (world) => {
  const id = await fillTables(world);
  const redis = await startRedis();
  try {
    await world.start('Fastify + pg', [path('./bare.mjs'), JSON.stringify(world.plainOptions)]);
    for (const name of LAYERS) await world.start(`+ ${name}`, [path('./layers/server.mjs'), name]);
    await world.start('the API', [BUILT_API]);
    await world.start('the API with Redis', [BUILT_API], { REDIS_URL: redis.url });
    report(await measure(world, formatRequest(world.issuer.token, 'GET', `/api/v1/entities/${id}`)));
  } finally {
    await redis.stop();
  }
});

async function measure({ servers }, request) {
  const rates = new Map(servers.map(({ name }) => [name, []]));
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const server of servers) {
      const { perSecond, statuses } = await load(server, request, LOAD_MS);
      if (Object.keys(statuses).join() !== '200')
        throw new Error(`${server.name}: returned ${JSON.stringify(statuses)}`);
      // The first round is a warm-up.
      if (round > 0) rates.get(server.name)?.push(perSecond);
    }
  }
  return rates;
}

/** Ratios are computed within each round, because other load on the machine affects both sides of a round. */
function report(rates) {
  const [first = []] = rates.values();
  let before = first;
  console.log(
    'layer'.padEnd(36) + 'per second'.padStart(10) + 'of the first'.padStart(14) + 'of the one before'.padStart(19),
  );
  for (const [name, list] of rates) {
    const ratio = (base) => median(list.map((rate, round) => rate / (base[round] ?? rate))).toFixed(2);
    console.log(
      name.padEnd(36) + String(median(list)).padStart(10) + ratio(first).padStart(14) + ratio(before).padStart(19),
    );
    before = list;
  }
}
