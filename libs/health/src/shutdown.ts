import type { Server } from 'node:http';
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
 * The one way out: drain while proxies learn of it, let requests end, cut what never ends, close the pools, exit. After
 * an error that nobody caught there is no drain, and the exit code is 1.
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

/**
 * Sets what a process does when it is told to leave; a later call takes the place of an earlier one. As PID 1 a process
 * that has set nothing does not even hear it.
 */
export function onLeaveSignals(leave: (signal: NodeJS.Signals) => void): void {
  const isFirst = currentLeave === undefined;
  currentLeave = leave;
  if (!isFirst) return;
  // One listener for good: a signal that has come while modules are read would be lost with the listener of that time.
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => currentLeave?.(signal));
}
let currentLeave: ((signal: NodeJS.Signals) => void) | undefined;

/** Listens for the signals and for what nobody caught. Later signals are ignored: the sequence is bounded anyway. */
export function shutDownOnSignals(shutdown: Shutdown): void {
  onLeaveSignals(shutdown);
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
 * A socket that never sends a byte keeps a server open without end. Whenever no request is open all sockets are cut,
 * until the server has closed; at the deadline they are cut with what is open on them.
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
