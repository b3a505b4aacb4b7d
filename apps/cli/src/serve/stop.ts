import { watchRunners } from '@airlock/embedded-postgres';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Runs `work` once: on a signal, or when the make, nx or npm that started us has died. Then the process ends. */
export function onStop(work: () => Promise<void>): (exitCode?: number) => void {
  let isStopping = false;
  const stop = (exitCode = 0) => {
    if (isStopping) return;
    isStopping = true;
    void work().finally(() => process.exit(exitCode));
  };
  // The second Ctrl-C, or Nx repeating the terminal's, must not cut the stop short.
  for (const signal of SIGNALS) process.on(signal, () => stop());
  watchRunners(stop);
  return stop;
}
