import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The tools read the certificate authority from a file only. */
export async function withCaFile<T>(
  certificates: string | undefined,
  use: (caFile: string | undefined) => Promise<T>,
): Promise<T> {
  if (certificates === undefined) return use(undefined);
  const folder = await mkdtemp(join(tmpdir(), 'airlock-ca-'));
  try {
    const file = join(folder, 'ca.pem');
    await writeFile(file, certificates, { mode: 0o600 });
    return await use(file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
