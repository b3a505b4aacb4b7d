/**
 * Runs a call whose error is made where bytes arrive, far from any caller, and adds the frames of those who wait for it. They
 * are read only when it fails: V8 knows who awaits this function, and success costs nothing.
 */
export async function withCallSite<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof Error) addCallers(error);
    throw error;
  }
}

function addCallers(error: Error): void {
  const site: { stack?: string } = {};
  Error.captureStackTrace(site, addCallers);
  const callers = site.stack?.split('\n').slice(1).join('\n');
  if (callers) error.stack = `${error.stack ?? String(error)}\n${callers}`;
}
