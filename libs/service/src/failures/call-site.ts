/**
 * Runs a call whose error is created in a socket handler, without the frames of its callers, and adds those frames.
 * They are read only after an error, because V8 knows which functions await this one. A success costs nothing.
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
