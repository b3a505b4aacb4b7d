import { fileURLToPath } from 'node:url';
import { AppProcess, type AppProcessOptions } from '@airlock/service/testing';

const FOLDER = fileURLToPath(new URL('../../', import.meta.url));

/** Runs the API in its own process: that of this project, or of another folder. */
export class ApiProcess extends AppProcess {
  constructor(options: Omit<AppProcessOptions, 'folder'> & Partial<Pick<AppProcessOptions, 'folder'>>) {
    super({ folder: FOLDER, ...options });
  }
}
