import { ConfigError } from '@airlock/config';
import { loadConfig } from '@airlock/config/loading';
import { runCallback } from './callback.js';

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
try {
  console.log(JSON.stringify({ event: 'callback.done', ...(await runCallback(loadConfig(), stop.signal)) }));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = error instanceof ConfigError ? error.exitCode : 1;
}
