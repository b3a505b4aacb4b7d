// node bench/serve.mjs [runs] [port]
// The development server: warm start of `make dev` to /readyz 200, and an edit to the changed response.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { measure, report } from './measure.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const EDITED = `${ROOT}libs/service/src/app/version.ts`;
const RUNS = Number(process.argv[2] ?? 7);
const PORT = process.argv[3] ?? '8000';
const LIMIT_MS = 60_000;

const get = async (path) => {
  const response = await fetch(`http://127.0.0.1:${PORT}${path}`).catch(() => undefined);
  return response?.ok ? response.text() : undefined;
};

// The first start creates .env and the data folder.
await (await start()).stop();
const starts = [];
let server;
for (let run = 0; run < RUNS; run += 1) {
  starts.push(...(await measure(1, async () => (server = await start()))));
  if (run < RUNS - 1) await server.stop();
}
try {
  report(
    'make dev, warm start to readyz 200 (≤ 2 s)',
    starts.sort((a, b) => a - b),
  );
  report('edit to changed response (≤ 1 s)', await measureEdits());
} finally {
  await server.stop();
}

async function start() {
  const child = spawn('make', ['dev'], {
    cwd: ROOT,
    detached: true,
    env: { ...process.env, PORT },
    stdio: 'ignore',
  });
  await until(async () => (await get('/readyz')) !== undefined);
  return {
    async stop() {
      process.kill(-child.pid, 'SIGINT');
      await once(child, 'exit');
      await until(async () => (await get('/readyz')) === undefined);
      await sleep(500);
    },
  };
}

async function measureEdits() {
  const source = readFileSync(EDITED, 'utf8');
  try {
    const durations = [];
    for (let run = 0; run < RUNS; run += 1) {
      const name = `edit-${run}`;
      durations.push(
        ...(await measure(1, async () => {
          writeFileSync(EDITED, source.replace('name: service.name', `name: '${name}'`));
          await until(async () => (await get('/version'))?.includes(name));
        })),
      );
    }
    return durations.sort((a, b) => a - b);
  } finally {
    writeFileSync(EDITED, source);
  }
}

async function until(isTrue) {
  const deadline = performance.now() + LIMIT_MS;
  while (!(await isTrue())) {
    if (performance.now() > deadline) throw new Error(`timed out after ${LIMIT_MS / 1000} s`);
    await sleep(5);
  }
}
