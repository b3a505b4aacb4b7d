// Development in a container: runs the API from its sources and restarts it when one of them changes. A crash or a
// configuration error is shown, and the next edit restarts the API. Changes are found by comparing the files, because
// file events do not cross every kind of mount (macOS, Windows, network drives). A comparison takes a few milliseconds.
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeEnd, endChild } from '../apps/cli/src/serve/child-end.ts';
import { listEdits, lookAtFiles, lookUntilSettled } from '../apps/cli/src/serve/look-at-files.ts';
import { reportProblems } from '../apps/cli/src/serve/watch-problems.ts';

const LOOK_EVERY_MS = 200;
/** The container has its own user, to whom the files of a checkout belong only by chance. */
const MODE = 'go+rX';

let seen = look();
let child;
let isLeaving = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => leave());
reportProblems(seen.problems, { mode: MODE });
start();

for (; !isLeaving; await sleep(LOOK_EVERY_MS)) {
  const now = await lookUntilSettled(look, seen);
  const edits = listEdits(seen, now);
  reportProblems(now.problems, { before: seen.problems, mode: MODE });
  reportEmptied(seen, now);
  seen = now;
  if (edits.length > 0) await restart(edits);
}

function look() {
  return lookAtFiles(process.cwd(), { app: 'apps/api' });
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
  child = api;
  api.once('exit', () => {
    if (child === api)
      console.error(`${describeEnd('The API exited', api)}\n  To start it without an edit: docker compose restart api`);
  });
}

async function restart([first, ...others]) {
  console.error(`edited ${first}${others.length > 0 ? ` and ${others.length} more` : ''}`);
  await stop();
  if (!isLeaving) start();
}

async function stop() {
  const api = child;
  child = undefined;
  if (api) await endChild(api);
}

/** Docker limits the time that the API has for this. */
function leave() {
  isLeaving = true;
  child?.kill('SIGTERM');
  child = undefined;
}
