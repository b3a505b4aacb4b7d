import { readFileSync, writeFileSync } from 'node:fs';
import type { Migration, Model } from '@airlock/database/model';

/** The migrations of past releases: name → SHA-256. Entries are only added. */
export function loadReleased({ folder }: Pick<Model, 'folder'>): Readonly<Record<string, string>> {
  return JSON.parse(readFileSync(nameFile(folder), 'utf8')) as Record<string, string>;
}

/** Called when a release is cut: from now on these files must not change. */
export function recordRelease({ migrations, folder }: Pick<Model, 'migrations' | 'folder'>): void {
  const released = Object.fromEntries(migrations.map(({ name, sha256 }) => [name, sha256]));
  writeFileSync(nameFile(folder), `${JSON.stringify({ ...loadReleased({ folder }), ...released }, null, 2)}\n`);
}

/** The migrations of the next release. */
export function findUnreleased({ migrations, folder }: Pick<Model, 'migrations' | 'folder'>): readonly Migration[] {
  const released = loadReleased({ folder });
  return migrations.filter(({ name }) => !(name in released));
}

function nameFile(folder: URL): URL {
  return new URL('records/released.json', folder);
}
