import { join } from 'node:path';
import * as prettier from 'prettier';
import type { FileChange } from './write-all.js';

/** Formats the files with the Prettier configuration of the workspace. */
export function formatAll(root: string, changes: readonly FileChange[]): Promise<FileChange[]> {
  return Promise.all(
    changes.map(async (change) => {
      const filepath = join(root, change.path);
      const options = await prettier.resolveConfig(filepath);
      return { ...change, text: await prettier.format(change.text, { ...options, filepath }) };
    }),
  );
}
