import { readFileSync, writeFileSync } from 'node:fs';
import { migrations as shippedMigrations, type Migration } from '@airlock/database/internal';

/** What has left the workspace with a release: name → SHA-256. Only ever grows. */
export const RELEASED_FILE = new URL('../../../database/src/migrations/released.json', import.meta.url);

export function loadReleased(): Readonly<Record<string, string>> {
  return JSON.parse(readFileSync(RELEASED_FILE, 'utf8')) as Record<string, string>;
}

export function isReleased({ name }: Migration): boolean {
  return name in loadReleased();
}

/** Called when a release is cut: from now on these files are history. */
export function recordRelease(migrations: readonly Migration[] = shippedMigrations): void {
  const released = Object.fromEntries(migrations.map(({ name, sha256 }) => [name, sha256]));
  writeFileSync(RELEASED_FILE, `${JSON.stringify({ ...loadReleased(), ...released }, null, 2)}\n`);
}
