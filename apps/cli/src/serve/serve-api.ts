import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '@airlock/config';
import { loadConfig } from '@airlock/config/loading';
import { isSameProcessAlive } from '@airlock/embedded-postgres';
import { type Announcement, hasDatabaseFailed, readAnnouncement } from './announcement.js';
import { ApiProcess } from './api-process.js';
import { refuseHeldPorts } from './refuse-second.js';
import { onStop } from './stop.js';
import { TypeCheck } from './type-check.js';
import { watchFiles } from './watch-files.js';
import { API, ROOT } from './workspace.js';

const POLL_MS = 20;
const FOLLOW_MS = 250;
const HINT_AFTER_MS = 5000;
const INSTALLED = 'node_modules/.package-lock.json';
const MIGRATIONS = 'libs/model/src/migrations/';

/** Serves the API from its sources with the database of `airlock db serve`, until stopped. */
export async function serveApi(): Promise<void> {
  await refuseHeldPorts();
  const database = waitForDatabase();
  const api = new ApiProcess(database);
  const types = new TypeCheck();
  const stop = onStop(() => {
    types.stop();
    return api.stop();
  });
  const leave = (reason: string) => {
    console.error(reason);
    stop(1);
  };
  let isShown = false;
  const start = async () => {
    types.stop();
    const started = await api.restart();
    types.schedule();
    const announcement = await database;
    if (started && announcement && !isShown) console.log(describe(loadConfig({ cwd: ROOT }), announcement));
    isShown ||= started;
  };
  // After a change of passwords the API may have connected to the server that still had the old ones.
  const onMoved = () => void (api.isRunning || start());
  void database.then((announcement) => {
    if (!announcement) return leave('The database did not start, so the API was not started.');
    follow(announcement, { onMoved, onEnded: () => leave('The database stopped, so the API was stopped.') });
  });
  watchFiles({ app: API }, (paths) => {
    console.log(describeEdit(paths));
    void start();
  });
  await start();
}

/** @returns undefined if the database failed to start */
async function waitForDatabase(): Promise<Announcement | undefined> {
  for (let waitedMs = 0; ; waitedMs += POLL_MS) {
    const announcement = readAnnouncement();
    if (announcement) return announcement;
    if (hasDatabaseFailed()) return undefined;
    if (waitedMs === HINT_AFTER_MS) console.log('Waiting for the database; `nx serve api` starts both.');
    await sleep(POLL_MS);
  }
}

function follow(
  { owner, edition }: Announcement,
  { onMoved, onEnded }: { onMoved: () => void; onEnded: () => void },
): void {
  let known = edition;
  const timer = setInterval(() => {
    if (!isSameProcessAlive(owner)) {
      clearInterval(timer);
      return onEnded();
    }
    const current = readAnnouncement()?.edition ?? known;
    if (current !== known) onMoved();
    known = current;
  }, FOLLOW_MS);
}

function describeEdit(paths: readonly string[]): string {
  const [first = '', ...others] = paths;
  const lines = [`edited ${first}${others.length > 0 ? ` and ${others.length} more` : ''}`];
  if (paths.some((path) => path.startsWith(MIGRATIONS)))
    lines.push('Migrations are not applied automatically; run: airlock db migrate');
  if (paths.includes('package-lock.json') && !paths.includes(INSTALLED))
    lines.push('package-lock.json has changed; to install its packages, stop this and run `make dev` again.');
  return lines.join('\n');
}

function describe({ environment, service }: Config, database: Announcement): string {
  const host = ['0.0.0.0', '127.0.0.1', '::1', '::'].includes(service.host) ? 'localhost' : service.host;
  const url = `http://${host}:${service.port}`;
  return [
    '',
    `  API          ${url}`,
    `  Management   http://127.0.0.1:${service.managementPort}`,
    `  Docs         ${service.withUi ? `${url}/api/v1/docs` : 'off (WITH_UI=true)'}`,
    `  Database     ${database.description}`,
    `  Environment  ${environment}`,
    '  The API restarts after each edit. Ctrl-C stops everything.',
    '',
  ].join('\n');
}
