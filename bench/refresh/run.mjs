// One refresh in its own process, whose memory is measured: node bench/refresh/run.mjs CONFIG (JSON)
import { Secret } from '@airlock/config';
import { loadConfig } from '@airlock/config/loading';
import { refresh, withClient, withFlatMemory } from '@airlock/database/operations';
import { model } from './world.mjs';

const { port, password, source, target } = JSON.parse(process.argv[2]);
const address = (user, secret, database) => ({
  host: '127.0.0.1',
  port,
  user,
  password: new Secret(secret),
  database,
  sslMode: 'disable',
});
const url = (role) => `postgres://${target}_${role}:${target}_${role}-secret@127.0.0.1:${port}/${target}`;
const loaded = loadConfig({
  cwd: '/nonexistent',
  env: { ENVIRONMENT: 'development', DATABASE_URL: url('app'), DATABASE_MIGRATION_URL: url('migrator') },
});
const admin = address('postgres', password, 'postgres');
const config = { ...loaded, environment: 'staging', database: { ...loaded.database, admin } };
const startedAt = performance.now();
const cpu = process.cpuUsage();
const baseline = process.memoryUsage.rss();
const report = await withClient({ ...admin, database: source }, { config, purpose: 'bench' }, (client) =>
  withFlatMemory(() => refresh({ ...model, config, source: client, key: new Secret('bench '.repeat(8)) })),
);
const seconds = (performance.now() - startedAt) / 1000;
const peak = process.resourceUsage().maxRSS / 1024;
const { user, system } = process.cpuUsage(cpu);
console.log(
  JSON.stringify({ seconds, cpuSeconds: (user + system) / 1e6, peak, baseline: baseline / 1024 ** 2, ...report }),
);
