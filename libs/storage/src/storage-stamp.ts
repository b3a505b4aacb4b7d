import type { Backend } from './backend.js';
import { StorageError } from './storage-error.js';

/** Names the environment that the bucket or folder belongs to. Not a key that `createKey` could make. */
const STAMP = 'airlock-environment.json';
const MAX_BYTES = 1_024;

/** @returns undefined if there is no stamp, an empty text if it cannot be read */
export async function readStorageStamp(backend: Backend): Promise<string | undefined> {
  try {
    let text = '';
    for await (const chunk of await backend.get(STAMP)) {
      text += String(chunk);
      if (text.length > MAX_BYTES) return '';
    }
    return parse(text);
  } catch (error) {
    if (error instanceof StorageError && error.kind === 'missing') return undefined;
    throw error;
  }
}

/**
 * Stamps an empty bucket or folder. Safe to repeat.
 *
 * @throws StorageError if it has the stamp of another environment, or objects and no stamp
 */
export async function stampEmpty(backend: Backend, environment: string): Promise<'stamped' | 'unchanged'> {
  const found = await readStorageStamp(backend);
  if (found === environment) return 'unchanged';
  if (found !== undefined) throw refuseStamp(backend, { found, expected: environment });
  for await (const object of backend.list('')) {
    void object;
    const problem = `${backend.description} holds objects and no stamp; expected an empty one`;
    throw new StorageError('refused', `STORAGE_URL: ${problem}\n  set STORAGE_URL to a new bucket of ${environment}`);
  }
  const text = `${JSON.stringify({ environment })}\n`;
  await backend.create(STAMP, Buffer.from(text));
  // Another environment may have stamped it at the same time, on a server that ignores the condition.
  const written = await readStorageStamp(backend);
  if (written !== environment) throw refuseStamp(backend, { found: written, expected: environment });
  return 'stamped';
}

export function refuseStamp(
  { description }: Backend,
  { found, expected }: { found: string | undefined; expected: string },
): StorageError {
  const [problem, fix] =
    found === undefined
      ? ['has no stamp', 'airlock storage provision   # stamps an empty bucket; run it once per environment']
      : [`is stamped ${found || 'with an unreadable text'}`, 'set STORAGE_URL to the bucket of this environment'];
  return new StorageError(
    'refused',
    `STORAGE_URL: ${description} ${problem}; expected the stamp ${expected}\n  ${fix}`,
  );
}

function parse(text: string): string {
  try {
    const { environment } = JSON.parse(text) as { environment?: unknown };
    return typeof environment === 'string' && /^[a-z][a-z0-9-]{0,39}$/.test(environment) ? environment : '';
  } catch {
    return '';
  }
}
