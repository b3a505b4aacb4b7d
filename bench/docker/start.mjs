// node bench/docker/start.mjs [rounds]
// The image: cold start of a container until /readyz returns 200, alternating with `node -e 0` in its base image, to
// measure the cost of the engine and Node alone; and the sizes of both images.
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { measure, report } from '../measure.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const ROUNDS = Number(process.argv[2] ?? 15);
const BASE = 'node:24.21.0-trixie-slim';
const PROJECT = `airlock-bench-${randomBytes(3).toString('hex')}`;
const IMAGE = `${PROJECT}-api:production`;
const PROBED = `${PROJECT}-probed`;
const LIMIT_MS = 60_000;

const run = (command, args, options = {}) =>
  execFileSync(command, args, { cwd: ROOT, encoding: 'utf8', stdio: 'pipe', ...options }).trim();
const testing = (...args) =>
  run('env', [
    `AIRLOCK_PROJECT=${PROJECT}`,
    'TEST_POSTGRES_PORT=0',
    'TEST_REDIS_PORT=0',
    'docker/compose',
    'testing',
    ...args,
  ]);

try {
  // The host reaches no container on the networks of testing.
  run('docker', ['network', 'create', PROBED]);
  testing('up', '--build', '--wait', '--detach');
  const like = JSON.parse(run('docker', ['inspect', `${PROJECT}-api-1`]))[0];
  const options = [
    '--init',
    '--read-only',
    '--cap-drop=ALL',
    '--tmpfs=/tmp',
    `--network=${PROJECT}_backend`,
    `--network=${PROBED}`,
    '--health-interval=1h',
  ];
  const environment = like.Config.Env.filter((entry) => !/^(PATH|NODE_OPTIONS)=/.test(entry)).flatMap((entry) => [
    '--env',
    entry,
  ]);
  const [bare, ready] = [[], []];
  for (let round = 0; round < ROUNDS; round += 1) {
    bare.push(
      ...(await measure(1, () => run('docker', ['run', '--rm', '--init', '--network=none', BASE, 'node', '-e', '0']))),
    );
    let id;
    try {
      ready.push(
        ...(await measure(1, async () => {
          id = run('docker', ['run', '--detach', ...options, ...environment, IMAGE]);
          await untilReady(addressOf(id));
        })),
      );
    } finally {
      if (id) run('docker', ['rm', '--force', id]);
    }
  }
  const sort = (times) => times.sort((a, b) => a - b);
  const base = report('docker run node -e 0, in the base image', sort(bare));
  const ours = report('docker run to /readyz 200', sort(ready));
  console.log(`${'the difference (≤ 1500 ms)'.padEnd(52)} ${(ours - base).toFixed(2).padStart(9)} ms`);
  const size = (image) => Number(run('docker', ['image', 'inspect', '--format', '{{.Size}}', image]));
  console.log(
    `${'size over the base (≤ 60 MB)'.padEnd(52)} ${((size(IMAGE) - size(BASE)) / 1e6).toFixed(1).padStart(9)} MB`,
  );
} finally {
  testing('down', '--volumes');
  run('docker', ['network', 'rm', '--force', PROBED]);
  run('docker', ['image', 'rm', '--force', IMAGE]);
}

function addressOf(id) {
  const { Networks } = JSON.parse(run('docker', ['inspect', '--format', '{{json .NetworkSettings}}', id]));
  return Networks[PROBED].IPAddress;
}

async function untilReady(address) {
  const last = Date.now() + LIMIT_MS;
  while (Date.now() < last) {
    const answer = await fetch(`http://${address}:8000/readyz`).catch(() => undefined);
    if (answer?.ok) return;
    await sleep(5);
  }
  throw new Error(`${address}: not ready after ${LIMIT_MS} ms`);
}
