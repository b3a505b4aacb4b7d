// A command as `make` starts it: prints that it runs, and ends when `watchRunners` reports.
import { watchRunners } from './runners.js';

for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined);
setInterval(() => undefined, 60_000);
watchRunners(() => process.exit());
process.stdout.write(`runs as ${process.pid}\n`);
