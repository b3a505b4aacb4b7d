import { fileURLToPath } from 'node:url';

/** The root of the workspace of these generators, independent of the working folder. */
export const WORKSPACE_ROOT = fileURLToPath(new URL('../../../', import.meta.url));
