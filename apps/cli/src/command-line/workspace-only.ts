/** Loads code that no image contains, such as the development database server or the test database reset. */
export async function loadWorkspaceOnly<T>(command: string, load: () => Promise<T>, exitCode = EXIT_USAGE): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    if (!MISSING.includes((cause as { code?: string }).code ?? '')) throw cause;
    const message = `${command}: is not part of this build; expected the sources of a checkout\n  run it in a checkout`;
    throw Object.assign(new Error(message, { cause }), { exitCode });
  }
}

const EXIT_USAGE = 2;
const MISSING = ['ERR_MODULE_NOT_FOUND', 'ERR_PACKAGE_PATH_NOT_EXPORTED'];
