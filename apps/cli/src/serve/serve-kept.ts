import { openKeptDatabases } from '@airlock/database-dev/testing/kept';
import { onStop } from './stop.js';

/** Serves the databases of the last failed test run until stopped. */
export async function serveKeptDatabases(): Promise<void> {
  const opened = await openKeptDatabases();
  if (!opened) return console.log('No database of a failed test is kept.');
  for (const { file, url } of opened.databases) console.log(`${file}\n  ${url}`);
  console.log('Ctrl-C stops the server.');
  const stop = onStop(() => opened.stop());
  // Keeps this process alive.
  setInterval(() => undefined, 60_000);
  await opened.ended;
  stop();
}
