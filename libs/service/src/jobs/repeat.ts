export interface Repetition {
  readonly everyMs: number;
  /** Called at the first of several failures. */
  readonly onFailure: (error: unknown) => void;
  /** Called at the first success after a failure. */
  readonly onRecovery: () => void;
}

const PAUSE_AFTER_FAILURE_MS = 1_000;

/**
 * Repeats some work, with a pause after each time. A failure does not end it.
 *
 * @returns a function that ends it and waits for the work that runs
 */
export function repeat(work: () => Promise<unknown>, options: Repetition): () => Promise<void> {
  const { everyMs, onFailure, onRecovery } = options;
  let timer: NodeJS.Timeout | undefined;
  let [isStopped, hasFailed] = [false, false];
  let running = Promise.resolve();
  const attempt = async () => {
    try {
      await work();
      if (hasFailed) onRecovery();
      hasFailed = false;
    } catch (error) {
      if (!hasFailed) onFailure(error);
      hasFailed = true;
    }
    const pauseMs = hasFailed ? Math.max(everyMs, PAUSE_AFTER_FAILURE_MS) : everyMs;
    if (!isStopped) timer = setTimeout(() => void (running = attempt()), pauseMs);
  };
  running = attempt();
  return () => {
    isStopped = true;
    clearTimeout(timer);
    return running;
  };
}
