/** How long each part of a shutdown may take; the platform kills at the end of grace. */
export interface ShutdownBudget {
  readonly drainMs: number;
  readonly requestMs: number;
  readonly teardownMs: number;
  readonly graceMs: number;
}

/** Left between the end of the sequence and the platform's SIGKILL. */
export const SAFETY_MS = 5_000;

/** @throws Error where the parts do not fit into the grace, or a request may outlive its part */
export function assertBudget(budget: ShutdownBudget, requestTimeoutMs: number): void {
  const neededMs = budget.drainMs + budget.requestMs + budget.teardownMs + SAFETY_MS;
  if (neededMs > budget.graceMs) {
    throw new Error(
      `SHUTDOWN_GRACE: is ${budget.graceMs} ms; expected at least ${neededMs} ms, drain, requests, teardown and ${SAFETY_MS} ms more\n` +
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
