import type { Server } from 'node:http';
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ShutdownBudget } from './budget.js';
import type { Lifecycle } from './lifecycle.js';
import { OpenRequests } from './open-requests.js';

export interface ShutdownOptions {
  readonly lifecycle: Lifecycle;
  readonly budget: ShutdownBudget;
  readonly server: Server;
  /** Closes the listener, waits for the requests in flight, then closes pools. */
  readonly close: () => Promise<void>;
  readonly log: (event: string, fields: Readonly<Record<string, unknown>>) => void;
  readonly exit: (code: number) => void;
}

const CUT_INTERVAL_MS = 50;

/** Starts the shutdown; a second call changes nothing. */
export type Shutdown = (reason: string, error?: unknown) => void;

/**
 * Drains until proxies have noticed, waits for requests, destroys sockets that do not end, closes the pools and exits.
 * After an uncaught error there is no drain, and the exit code is 1.
 */
export function createShutdown(options: ShutdownOptions): Shutdown {
  const requests = new OpenRequests(options.server);
  let isStarted = false;
  return (reason, error) => {
    if (isStarted) return;
    isStarted = true;
    void run(options, requests, { reason, error });
  };
}

/** Includes SIGHUP: a terminal, session or supervisor that ends sends it, and its default ends the process at once. */
const STOP_SIGNALS: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGPWR'];
/**
 * By default these would end the process with its requests, or open a debugger (SIGUSR1). SIGPROF is not ignored,
 * because the profiler uses it, and neither are the signals of a fault.
 */
const IGNORED_SIGNALS: readonly NodeJS.Signals[] = [
  'SIGUSR1',
  'SIGUSR2',
  'SIGALRM',
  'SIGVTALRM',
  'SIGPIPE',
  'SIGIO',
  'SIGXCPU',
  'SIGXFSZ',
  'SIGSTKFLT',
  'SIGTRAP',
  'SIGSYS',
];

/**
 * Sets the handler of the stop signals. A later call replaces the handler of an earlier one. As PID 1, a process
 * without a handler would ignore these signals. From the first call on, the signals of IGNORED_SIGNALS are ignored.
 */
export function onStopSignals(stop: (signal: NodeJS.Signals) => void): void {
  const isFirst = currentStop === undefined;
  currentStop = stop;
  if (!isFirst) return;
  // The listener is never replaced: a signal that arrived while modules were loaded would be lost with the old
  // listener.
  for (const signal of STOP_SIGNALS) listen(signal, () => currentStop?.(signal));
  for (const signal of IGNORED_SIGNALS) listen(signal, () => undefined);
}
let currentStop: ((signal: NodeJS.Signals) => void) | undefined;

/** Some systems lack some of the signals. */
function listen(signal: NodeJS.Signals, listener: () => void): void {
  if (signal in constants.signals) process.on(signal, listener);
}

/** Shuts down on a stop signal and on an uncaught error. Later signals are ignored, as each step has a time limit. */
export function shutDownOnSignals(shutdown: Shutdown): void {
  onStopSignals(shutdown);
  process.on('uncaughtException', (error) => shutdown('uncaughtException', error));
  process.on('unhandledRejection', (error) => shutdown('unhandledRejection', error ?? new Error('no reason given')));
}

async function run(
  { lifecycle, budget, server, close, log, exit }: ShutdownOptions,
  requests: OpenRequests,
  { reason, error }: { reason: string; error: unknown },
): Promise<void> {
  const startedAt = performance.now();
  const hasFailed = error !== undefined;
  const drainMs = hasFailed ? 0 : budget.drainMs;
  lifecycle.drain();
  log('shutdown.draining', { reason, drain_ms: drainMs, open_requests: requests.count, ...(hasFailed && { error }) });
  await sleep(drainMs);
  const limitMs = budget.requestMs + budget.teardownMs;
  const closing = close().then(() => true);
  void cutConnections(requests, server, budget.requestMs);
  const isClosed = await Promise.race([closing, sleep(limitMs, false, { ref: false })]).catch((cause: unknown) => {
    log('shutdown.failed', { error: cause });
    return false;
  });
  const code = isClosed && !hasFailed ? 0 : 1;
  log('shutdown.done', { reason, exit_code: code, duration_ms: Math.round(performance.now() - startedAt) });
  exit(code);
}

/**
 * A socket that never sends a byte would keep the server open without limit. While no request is open, all sockets are
 * destroyed until the server has closed. At the deadline they are destroyed with their open requests.
 */
async function cutConnections(requests: OpenRequests, server: Server, deadlineMs: number): Promise<void> {
  const deadline = sleep(deadlineMs, undefined, { ref: false });
  const closed = new Promise<void>((resolve) => server.once('close', resolve));
  let isClosed = false;
  void closed.then(() => (isClosed = true));
  while (!isClosed) {
    await Promise.race([requests.whenNone(), deadline]);
    server.closeAllConnections();
    await Promise.race([closed, sleep(CUT_INTERVAL_MS, undefined, { ref: false })]);
  }
}
