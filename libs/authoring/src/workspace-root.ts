import { fileURLToPath } from 'node:url';

/** The sources that the generators belong to, wherever they are called from. */
export const WORKSPACE_ROOT = fileURLToPath(new URL('../../../', import.meta.url));
