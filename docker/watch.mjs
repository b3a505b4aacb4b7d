// Development in a container: runs the API from its sources and restarts it when one of them changes. A crash or a
// configuration error is shown, and the next edit restarts the API. Changes are found by comparing the files, because
// file events do not cross every kind of mount (macOS, Windows, network drives). A comparison takes a few milliseconds.
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { listEdits, lookAtFiles } from '../apps/cli/src/serve/look-at-files.ts';

const LOOK_EVERY_MS = 200;
const SETTLE_MS = 30;

let seen = look();
let child = start();
let leaving = false;
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void leave());

for (; !leaving; await sleep(LOOK_EVERY_MS)) {
  const now = await lookUntilSettled();
  const [changed] = listEdits(seen, now);
  reportEmptied(seen, now);
  seen = now;
  if (changed && !leaving) await restart(changed);
}

function look() {
  return lookAtFiles(process.cwd(), { app: 'apps/api' });
}

/** An editor writes a file in several steps, and Git writes many. */
async function lookUntilSettled() {
  let last = seen;
  for (let now = look(); listEdits(last, now).length > 0; now = look()) {
    last = now;
    await sleep(SETTLE_MS);
  }
  return last;
}

/** A mount shows the folder that it was made of: one that was replaced on the host is seen by a new start alone. */
function reportEmptied(before, now) {
  for (const folder of before.folders.keys()) {
    const isMount = /^(apps|libs)\/[^/]+\/src$/.test(folder);
    if (!isMount || !has(before, folder) || has(now, folder)) continue;
    console.error(
      `${folder}: has no files any more; where the folder was replaced on the host, edits there are not seen.`,
    );
    console.error('  docker compose restart api');
  }
}

function has({ files }, folder) {
  return files.keys().some((path) => path.startsWith(`${folder}/`));
}

function start() {
  const api = spawn(process.execPath, ['--import', './tools/typescript.mjs', 'apps/api/src/main.ts'], {
    stdio: 'inherit',
  });
  return api.on('exit', (code) => code && console.error('The API exited. The next edit restarts it.'));
}

async function restart(changed) {
  console.error(`${changed} changed`);
  await stop();
  if (!leaving) child = start();
}

async function stop() {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await gone;
}

async function leave() {
  leaving = true;
  await stop();
}
