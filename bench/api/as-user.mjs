// The cost of a transaction as a user, compared with the fast path and with TypeORM alone. All take turns in one process
// on one database. `node --import ./tools/typescript.mjs bench/api/as-user.mjs [rounds] [milliseconds per turn]`
import pg from 'pg';
import { EntitySchema } from 'typeorm';
import { createDataSource, createGuardedDataSource } from '../../libs/database/src/connect/data-source.ts';
import { openRunner } from '../../libs/database/src/connect/guarded-data-source.ts';
import { EntityRecord } from '../../libs/model/src/entities/index.ts';
import { Database } from '../../libs/service/src/data/database.ts';
import { fillTables } from './requests.mjs';
import { median, POOL_SIZE, withWorld } from './world.mjs';

const ROUNDS = Number(process.argv[2] ?? 7);
const TURN_MS = Number(process.argv[3] ?? 1_000);
/** As many as the connections of the other benches of the API. */
const CALLERS = 32;
const LIMIT_MS = 60_000;
const userId = 'user_1';
const row = { ownerId: userId, name: 'bench', attributes: { a: 1 } };

/** The same columns on the table without row-level security, where TypeORM needs no user. */
const PlainRecord = new EntitySchema({
  name: 'bench_entities',
  columns: {
    id: { type: 'uuid', primary: true, default: () => 'uuidv7()' },
    ownerId: { type: 'text', name: 'owner_id' },
    name: { type: 'text' },
    attributes: { type: 'jsonb' },
    version: { type: 'int', version: true },
    createdAt: { type: 'timestamptz', name: 'created_at', createDate: true },
    updatedAt: { type: 'timestamptz', name: 'updated_at', updateDate: true },
  },
});

await withWorld({}, async (world) => {
  const id = await fillTables(world);
  const config = { ...world.config, database: { ...world.config.database, poolSize: POOL_SIZE } };
  // The server may stop before the last sessions have closed, which the pool would print.
  const printSql = { log: () => {}, warn: () => {} };
  const guarded = await createGuardedDataSource(config, { entities: [EntityRecord], printSql }).initialize();
  const plain = await createDataSource(config, { entities: [PlainRecord], printSql }).initialize();
  try {
    const ways = createWays({ guarded, plain, id });
    const roundTrips = await countRoundTrips(ways);
    report(await measure(ways), roundTrips);
  } finally {
    await guarded.destroy();
    await plain.destroy();
  }
});

function createWays({ guarded, plain, id }) {
  const options = { statementTimeoutMs: LIMIT_MS, transactionTimeoutMs: LIMIT_MS, poolSize: POOL_SIZE };
  const database = new Database(guarded, {
    ...options,
    service: 'bench',
    openRunner: () => openRunner(guarded),
    constraints: {},
    checkSchema: () => {},
  });
  const text =
    'SELECT id, owner_id, name, attributes, version, created_at, updated_at FROM entities WHERE id = $1 LIMIT 1';
  const read = { userId, name: 'read', text, values: [id] };
  const insert = {
    userId,
    name: 'insert',
    text: 'INSERT INTO entities (owner_id, name, attributes) VALUES ($1, $2, $3) RETURNING id, version, created_at, updated_at',
    values: [row.ownerId, row.name, row.attributes],
  };
  const records = plain.getRepository(PlainRecord);
  return {
    'read: fast path': () => database.query(read),
    'read: asUser, repository': () => database.asUser(userId, (tx) => tx.getRepository(EntityRecord).findOneBy({ id })),
    'read: TypeORM alone': () => records.findOneBy({ id }),
    'read: TypeORM alone, transaction': () =>
      plain.transaction((tx) => tx.getRepository(PlainRecord).findOneBy({ id })),
    'insert: fast path': () => database.query(insert),
    'insert: asUser, repository': () =>
      database.asUser(userId, (tx) => tx.getRepository(EntityRecord).insert({ ...row })),
    'insert: TypeORM alone, transaction': () =>
      plain.transaction((tx) => tx.getRepository(PlainRecord).insert({ ...row })),
  };
}

/** pg waits for the response to each query before it sends the next one of that session. */
async function countRoundTrips(ways) {
  const { query } = pg.Client.prototype;
  const counts = {};
  let count = 0;
  pg.Client.prototype.query = function (...values) {
    count += 1;
    return query.apply(this, values);
  };
  for (const [name, run] of Object.entries(ways)) {
    count = 0;
    await run();
    counts[name] = count;
  }
  pg.Client.prototype.query = query;
  return counts;
}

/** Operations per second of each way, in each round. */
async function measure(ways) {
  const rates = new Map(Object.keys(ways).map((name) => [name, []]));
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const [name, run] of Object.entries(ways)) {
      const rate = await takeTurn(run);
      // The first round is a warm-up.
      if (round > 0) rates.get(name)?.push(rate);
    }
  }
  return rates;
}

async function takeTurn(run) {
  const start = performance.now();
  let count = 0;
  const call = async () => {
    while (performance.now() - start < TURN_MS) {
      await run();
      count += 1;
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, call));
  return (count / (performance.now() - start)) * 1_000;
}

/** Ratios are computed within each round, because other load on the machine affects all of a round. */
function report(rates, roundTrips) {
  console.log(
    'way'.padEnd(42) + 'round trips'.padStart(11) + 'per second'.padStart(12) + 'of the fast path'.padStart(18),
  );
  for (const [name, list] of rates) {
    const base = rates.get(`${name.split(':')[0]}: fast path`);
    const ratio = median(list.map((rate, round) => rate / (base?.[round] ?? rate))).toFixed(2);
    const perSecond = String(Math.round(median(list)));
    console.log(name.padEnd(42) + String(roundTrips[name]).padStart(11) + perSecond.padStart(12) + ratio.padStart(18));
  }
}
