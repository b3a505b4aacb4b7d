/** Loads what an image has not got, such as a database server for development. */
export async function loadWorkspaceOnly<T>(command: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    if (!MISSING.includes((cause as { code?: string }).code ?? '')) throw cause;
    const error = new Error(`${command}: is not part of this build; expected the sources of a checkout`, { cause });
    throw Object.assign(error, { exitCode: EXIT_USAGE });
  }
}

const EXIT_USAGE = 2;
const MISSING = ['ERR_MODULE_NOT_FOUND', 'ERR_PACKAGE_PATH_NOT_EXPORTED'];
