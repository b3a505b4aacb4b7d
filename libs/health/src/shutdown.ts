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

/** SIGHUP too: a terminal, a session or a supervisor that ends sends it, and its default ends the process at once. */
const LEAVE_SIGNALS: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGPWR'];
/**
 * Their default would end the process with the requests in it, or, for SIGUSR1, open a debugger; none of them asks for
 * either. SIGPROF stays as it is, because the profiler samples with it, and so do the signals of a fault.
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
 * Sets what a process does when it is told to leave; a later call takes the place of an earlier one. As PID 1 a process
 * that has set nothing does not even hear it. Signals that ask for nothing are ignored from then on.
 */
export function onLeaveSignals(leave: (signal: NodeJS.Signals) => void): void {
  const isFirst = currentLeave === undefined;
  currentLeave = leave;
  if (!isFirst) return;
  // One listener for good: a signal that has come while modules are read would be lost with the listener of that time.
  for (const signal of LEAVE_SIGNALS) listen(signal, () => currentLeave?.(signal));
  for (const signal of IGNORED_SIGNALS) listen(signal, () => undefined);
}
let currentLeave: ((signal: NodeJS.Signals) => void) | undefined;

/** Not every system has every signal. */
function listen(signal: NodeJS.Signals, listener: () => void): void {
  if (signal in constants.signals) process.on(signal, listener);
}

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
