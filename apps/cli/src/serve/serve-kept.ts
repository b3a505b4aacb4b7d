import { openKeptDatabases } from '@airlock/database-dev/testing/kept';
import { onStop } from './stop.js';

/** Serves what the last failed test run has kept until it is told to stop. */
export async function serveKeptDatabases(): Promise<void> {
  const opened = await openKeptDatabases();
  if (!opened) return console.log('No failed test has left a database.');
  for (const { file, url } of opened.databases) console.log(`${file}\n  ${url}`);
  console.log('Ctrl-C stops the server.');
  const stop = onStop(() => opened.stop());
  // Nothing else keeps this process alive.
  setInterval(() => undefined, 60_000);
  await opened.ended;
  stop();
}
