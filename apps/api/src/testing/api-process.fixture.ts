import { fileURLToPath } from 'node:url';
import { AppProcess, type AppProcessOptions } from '@airlock/service/testing';

const FOLDER = fileURLToPath(new URL('../../', import.meta.url));

/** The API of this project, unless another folder is given, as a process of its own. */
export class ApiProcess extends AppProcess {
  constructor(options: Omit<AppProcessOptions, 'folder'> & Partial<Pick<AppProcessOptions, 'folder'>>) {
    super({ folder: FOLDER, ...options });
  }
}
