// Follows the timers of a sandbox, for Node counts them and does not say whose they are.
import { promisify } from 'node:util';

/** Puts followed versions of setTimeout and setInterval into the sandbox. @returns what lists those still running */
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
