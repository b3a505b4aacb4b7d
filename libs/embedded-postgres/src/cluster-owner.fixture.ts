// A process that owns a cluster until a test kills it.
//   node --import tools/typescript.mjs cluster-owner.fixture.ts '{"dataDir":…}'
import { startCluster, type ClusterOptions } from './cluster.js';
import { readPostmaster } from './run-file.js';

const options = JSON.parse(process.argv[2] ?? '{}') as ClusterOptions;
const cluster = await startCluster(options);
process.stdout.write(`${JSON.stringify({ port: cluster.port, postmaster: readPostmaster(options.dataDir)?.pid })}\n`);
setInterval(() => undefined, 60_000);
