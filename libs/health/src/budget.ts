/** The time limit of each part of a shutdown. The platform kills the process at the end of the grace period. */
export interface ShutdownBudget {
  readonly drainMs: number;
  readonly requestMs: number;
  readonly teardownMs: number;
  readonly graceMs: number;
}

/** The margin between the end of the shutdown and the platform's SIGKILL. */
export const SAFETY_MS = 5_000;

/** @throws Error if the parts exceed the grace period, or if a request may take longer than SHUTDOWN_REQUESTS */
export function assertBudget(budget: ShutdownBudget, requestTimeoutMs: number): void {
  const neededMs = budget.drainMs + budget.requestMs + budget.teardownMs + SAFETY_MS;
  if (neededMs > budget.graceMs) {
    throw new Error(
      `SHUTDOWN_GRACE: is ${budget.graceMs} ms; expected at least ${neededMs} ms: ` +
        `drain, requests, teardown and ${SAFETY_MS} ms\n` +
        '  raise SHUTDOWN_GRACE together with the grace period of the platform',
    );
  }
  if (budget.drainMs > 0 && requestTimeoutMs > budget.requestMs) {
    throw new Error(
      `SHUTDOWN_REQUESTS: is ${budget.requestMs} ms; expected at least REQUEST_TIMEOUT, ${requestTimeoutMs} ms\n` +
        '  a request that started just before the end of the drain would be cut off',
    );
  }
}
