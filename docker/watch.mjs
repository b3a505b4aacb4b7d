// Development in a container: runs the API from its sources and starts it again when one of them changes. A crash or a
// wrong configuration is shown and waits for the next edit. Changes are found by looking at the files, because file
// events do not cross every kind of mount (macOS, Windows, network drives), and a look at them takes a few milliseconds.
import { spawn } from 'node:child_process';
import { globSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const LOOK_EVERY_MS = 200;
const FOLDERS = globSync('{apps,libs}/*/src');
const SOURCE = /\.(ts|sql|json)$/;
const TESTS = /\.(spec|fixture)\.ts$/;

let child = start();
let leaving = false;
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void leave());

for (let seen = look(); !leaving; await sleep(LOOK_EVERY_MS)) {
  const now = look();
  const changed = [...now.keys(), ...seen.keys()].find((path) => now.get(path) !== seen.get(path));
  seen = now;
  if (changed && !leaving) await restart(changed);
}

/** Each source file with what changes when it does. */
function look() {
  const paths = FOLDERS.flatMap((folder) => readdirSync(folder, { recursive: true }).map((name) => join(folder, name)));
  const sources = paths.filter((path) => SOURCE.test(path) && !TESTS.test(path));
  return new Map(sources.map((path) => [path, describe(statSync(path, { throwIfNoEntry: false }))]));
}

function describe(stats) {
  return stats && `${stats.mtimeMs} ${stats.size} ${stats.ino}`;
}

function start() {
  const api = spawn(process.execPath, ['--import', './tools/typescript.mjs', 'apps/api/src/main.ts'], {
    stdio: 'inherit',
  });
  return api.on('exit', (code) => code && console.error('The API stopped; it starts again at the next edit.'));
}

async function restart(changed) {
  console.error(`${changed} changed`);
  await stop();
  child = start();
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
