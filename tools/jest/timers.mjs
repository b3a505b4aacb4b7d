// Tracks the timers of a sandbox, because Node counts them without naming their creator.
import { promisify } from 'node:util';

/**
 * Replaces setTimeout and setInterval of the sandbox by tracked versions. @returns a function that lists the running
 * ones
 */
export function followTimers(sandbox) {
  const timers = new Set();
  for (const name of ['setTimeout', 'setInterval']) {
    const original = sandbox[name];
    const followed = (...args) => {
      const timer = original(...args);
      timers.add(new WeakRef(timer));
      return timer;
    };
    if (original[promisify.custom]) followed[promisify.custom] = original[promisify.custom];
    sandbox[name] = followed;
  }
  return () =>
    [...timers].map((reference) => reference.deref()).filter((timer) => timer?.hasRef() && !timer._destroyed);
}
