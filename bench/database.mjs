// node --import ./tools/typescript.mjs bench/database.mjs
// Embedded PostgreSQL and test databases: starts, clones, spares, and the cost of a test, compared with the naive way.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { withClient } from '@airlock/database';
import { createSessionConfig } from '@airlock/database/internal';
import { chooseStorageFolder, copyFolder, nameOwnedFolder, startCluster } from '@airlock/embedded-postgres';
import { model } from '@airlock/model';
import { CloneRegistry } from '../libs/database-dev/src/testing/clones/clone-registry.ts';
import { nameTemplate } from '../libs/database-dev/src/testing/clones/database-name.ts';
import { ChangedRows } from '../libs/database-dev/src/testing/isolation/changed-rows.ts';
import { RollbackSession } from '../libs/database-dev/src/testing/isolation/rollback-session.ts';
import { ensureCachedFolder, hashTemplate } from '../libs/database-dev/src/testing/run/template-cache.ts';
import { connectClient } from '../libs/database/src/connect/client.ts';
import { measure, median, report, reportRatio } from './measure.mjs';

const ROUNDS = Number(process.argv[2] ?? 20);
const folder = chooseStorageFolder('memory');
const context = { config: createSessionConfig('testing'), purpose: 'bench' };
const connect = (address) => connectClient(address, context);

await benchStarts();
await withTestCluster(async (cluster) => {
  await benchClones(cluster);
  await benchTests(cluster);
});

async function benchStarts() {
  const cold = [];
  for (let index = 0; index < 5; index += 1) {
    const dataDir = join(folder, nameOwnedFolder('bench'));
    const [duration] = await measure(1, async () => (cold.cluster = await startCluster({ dataDir, durable: false })));
    await cold.cluster.stop();
    cold.push(duration);
  }
  report(
    'start, cold (initdb, without roles and schema)',
    cold.sort((a, b) => a - b),
  );
  const cached = await ensureCachedFolder(folder, { model });
  const warm = [];
  for (let index = 0; index < ROUNDS; index += 1) {
    const dataDir = join(folder, nameOwnedFolder('bench'));
    let cluster;
    const [duration] = await measure(1, async () => {
      await copyFolder(cached, dataDir);
      cluster = await startCluster({ dataDir, durable: false });
    });
    await cluster.stop();
    warm.push(duration);
  }
  report(
    'start, from the cached migrated folder (≤ 150 ms)',
    warm.sort((a, b) => a - b),
  );
}

async function benchClones({ superuser }) {
  const template = nameTemplate(hashTemplate(model));
  await withClient(superuser, context, async (admin) => {
    const registry = new CloneRegistry({
      admin,
      connect: (database) => connect({ ...superuser, database }),
      template,
      run: 'bench',
    });
    const raw = [];
    const direct = [];
    const spare = [];
    // Alternating, so that other load on the machine affects all alike.
    for (let index = 0; index < ROUNDS; index += 1) {
      raw.push(
        ...(await measure(1, () =>
          admin.query(`CREATE DATABASE raw_${index} TEMPLATE ${template} STRATEGY FILE_COPY`),
        )),
      );
      await admin.query(`DROP DATABASE raw_${index}`);
      let name;
      direct.push(...(await measure(1, async () => (name = await registry.take('bench')))));
      await registry.drop(name);
      await registry.make('spare');
      spare.push(...(await measure(1, async () => (name = await registry.take('bench')))));
      await registry.drop(name);
    }
    const sort = (list) => list.sort((a, b) => a - b);
    const base = report('clone, raw CREATE DATABASE … FILE_COPY', sort(raw));
    const seen = report('clone as a test file sees it, no spare ready', sort(direct));
    report('clone as a test file sees it, spare (≤ 5 ms)', sort(spare));
    reportRatio('  without a spare, of raw', seen / base, '≤ 1.2');
    reportRatio('  with a spare, of raw', median(spare) / base, '≤ 1.2');
  });
}

async function benchTests({ superuser }) {
  const template = nameTemplate(hashTemplate(model));
  const admin = await connect(superuser);
  await admin.query(`CREATE DATABASE bench_test TEMPLATE ${template} STRATEGY FILE_COPY`);
  const insert = `INSERT INTO entities (owner_id, name) VALUES ('bench', 'row')`;
  const client = await connect({ ...superuser, database: 'bench_test' });
  const session = await RollbackSession.open(client);
  const rollback = await measure(200, async () => {
    await session.begin();
    await session.rollback();
  });
  const perTest = report('rollback, per test (≤ 1 ms)', rollback);
  const rows = await ChangedRows.remember(client, () => Promise.resolve([]));
  const restore = [];
  for (let index = 0; index < 100; index += 1) {
    await client.query(insert);
    restore.push(...(await measure(1, () => rows.restore())));
  }
  report(
    'restore changed rows, one table changed',
    restore.sort((a, b) => a - b),
  );
  const statements = model.migrations.flatMap((migration) => migration.statements.map(({ sql }) => sql));
  const naive = await measure(20, async () => {
    await client.query('DROP SCHEMA public, jobs CASCADE; CREATE SCHEMA public');
    for (const sql of statements) await client.query(sql);
  });
  const createAll = report('naive: drop all, create all, per test', naive);
  reportRatio('  naive, of rollback', createAll / perTest, 'none');
  await client.end();
  await admin.end();
}

async function withTestCluster(use) {
  const dataDir = join(folder, nameOwnedFolder('bench'));
  await copyFolder(await ensureCachedFolder(folder, { model }), dataDir);
  const cluster = await startCluster({ dataDir, durable: false });
  // The pipe of the watchdog must not keep this process alive.
  const alive = setInterval(() => undefined, 60_000);
  try {
    await use(cluster);
  } finally {
    clearInterval(alive);
    await cluster.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}
