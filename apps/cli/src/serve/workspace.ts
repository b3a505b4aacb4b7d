import { PROGRAMS } from '@airlock/config';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../../..', import.meta.url)).replace(/\/$/, '');
export const LOCAL_FOLDER = join(ROOT, '.airlock');

/** The project that is served. */
export const API = PROGRAMS.api.folder;
