// Lists the handles that keep a process alive, before and after a test file.
import { setTimeout as sleep } from 'node:timers/promises';

/** Requests such as FSReqCallback come and go; these stay until they are closed. */
const LASTING =
  /^(TCPSocketWrap|TCPServerWrap|TLSWrap|PipeWrap|PipeServerWrap|ProcessWrap|UDPWrap|FSEventWrap|StatWatcher|MessagePort|Worker|TTYWrap)$/;
const SETTLE_MS = 1000;
const POLL_MS = 10;

/** Records what is open now. `listTimers` returns the running timers of the sandbox. */
export function takeInventory(listTimers) {
  // Node opens these at first use, so the test file that first uses them has not leaked them.
  void [process.stdin, process.stdout, process.stderr];
  return { counts: countResources(), handles: new Set(process._getActiveHandles()), listTimers };
}

/** Waits a moment for handles that are being closed, then names those that are still open and were not before. */
export async function describeLeaks(before) {
  for (let waitedMs = 0; waitedMs < SETTLE_MS; waitedMs += POLL_MS) {
    if (listGrowth(before).length === 0) return [];
    await sleep(POLL_MS);
  }
  const leaks = listGrowth(before);
  return leaks.length > 0 ? [...leaks, ...listNewHandles(before).map(describeHandle)] : [];
}

/** Closes leaked handles, so that they outlive neither their file nor the run. */
export function closeLeaks(before) {
  for (const timer of before.listTimers()) clearTimeout(timer);
  for (const handle of listNewHandles(before)) {
    if (typeof handle.kill === 'function') handle.kill('SIGKILL');
    else if (typeof handle.destroy === 'function') handle.destroy();
    else if (typeof handle.close === 'function') handle.close();
  }
}

function countResources() {
  const counts = new Map();
  for (const type of process.getActiveResourcesInfo()) {
    if (LASTING.test(type)) counts.set(type, (counts.get(type) ?? 0) + 1);
  }
  return counts;
}

function listGrowth({ counts, listTimers }) {
  const growth = [...countResources()].map(([type, count]) => [type, count - (counts.get(type) ?? 0)]);
  const timers = listTimers().length;
  return [...growth, ['timer', timers]].filter(([, count]) => count > 0).map(([type, count]) => `${count} × ${type}`);
}

function listNewHandles({ handles }) {
  return process._getActiveHandles().filter((handle) => !handles.has(handle));
}

function describeHandle(handle) {
  const name = handle.constructor?.name ?? 'handle';
  if (handle.spawnargs) return `${name} ${handle.pid} (${handle.spawnargs.join(' ')})`;
  if (typeof handle.address === 'function' && handle.listening) return `${name} listening on ${handle.address()?.port}`;
  if (handle.remotePort) return `${name} connected to ${handle.remoteAddress}:${handle.remotePort}`;
  return name;
}
