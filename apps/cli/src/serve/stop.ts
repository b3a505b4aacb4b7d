import { watchRunners } from '@airlock/embedded-postgres';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Runs `work` once, on a signal or after the make, nx or npm that started us has exited. Then the process exits. */
export function onStop(work: () => Promise<void>): (exitCode?: number) => void {
  let isStopping = false;
  const stop = (exitCode = 0) => {
    if (isStopping) return;
    isStopping = true;
    void work().finally(() => process.exit(exitCode));
  };
  // A second Ctrl-C, or the signal that Nx repeats, must not interrupt the stop.
  for (const signal of SIGNALS) process.on(signal, () => stop());
  watchRunners(stop);
  return stop;
}
