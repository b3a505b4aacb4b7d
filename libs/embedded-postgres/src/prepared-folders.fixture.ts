// Stopped data folders to copy: copying one is far faster than running initdb.
import { chmodSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { chooseStorageFolder } from './test-storage.js';
import { startCluster } from './cluster.js';
import { copyFolder } from './copy-folder.js';
import { initialiseForeign } from './foreign-server.fixture.js';
import { createOwnedFolder } from './leftovers.js';

export interface PreparedFolders {
  /** A folder that `startCluster` made. @returns the folder */
  copyOwn(folder: string): Promise<string>;
  /** A folder that another program made. @returns the folder */
  copyForeign(folder: string): Promise<string>;
  remove(): void;
}

export async function prepareFolders(): Promise<PreparedFolders> {
  const parent = createOwnedFolder(chooseStorageFolder(existsSync('/dev/shm') ? 'memory' : 'disk'), 'prepared');
  // PostgreSQL may run as another user, who needs to pass through.
  chmodSync(parent, 0o711);
  const [own, foreign] = [join(parent, 'own'), join(parent, 'foreign')];
  const copyTo = (source: string) => async (folder: string) => {
    await copyFolder(source, folder);
    return folder;
  };
  await (await startCluster({ dataDir: own, durable: true })).stop();
  await initialiseForeign(foreign);
  return {
    copyOwn: copyTo(own),
    copyForeign: copyTo(foreign),
    remove: () => rmSync(parent, { recursive: true, force: true }),
  };
}
