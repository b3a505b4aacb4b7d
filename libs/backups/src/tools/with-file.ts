import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The tools read a certificate authority, or a list of entries, from a file only. */
export async function withFile<T>(
  content: string | undefined,
  use: (file: string | undefined) => Promise<T>,
): Promise<T> {
  if (content === undefined) return use(undefined);
  const folder = await mkdtemp(join(tmpdir(), 'airlock-tool-'));
  try {
    const file = join(folder, 'file');
    await writeFile(file, content, { mode: 0o600 });
    return await use(file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
