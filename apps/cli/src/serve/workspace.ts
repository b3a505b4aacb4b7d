import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../../..', import.meta.url)).replace(/\/$/, '');
export const LOCAL_FOLDER = join(ROOT, '.airlock');
