/** What writes and judges migrations needs the sources and a PostgreSQL of its own: an image has neither. */
export async function loadAuthoring(): Promise<typeof import('@airlock/database/authoring')> {
  try {
    return await import('@airlock/database/authoring');
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'ERR_PACKAGE_PATH_NOT_EXPORTED')) throw cause;
    const message = 'this command: is not part of an image; expected the workspace\n  Run it where the sources are.';
    throw Object.assign(new Error(message, { cause }), { exitCode: 2 });
  }
}
