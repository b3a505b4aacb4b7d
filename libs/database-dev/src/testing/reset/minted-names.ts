import { randomBytes } from 'node:crypto';

/** Names that only this tool generates: the name of the test database and eight hex digits. */
export function mintName(database: string): string {
  return `${database}_${randomBytes(4).toString('hex')}`;
}

export function isMintedName(name: string): boolean {
  return /_[0-9a-f]{8}$/.test(name);
}

export function isMintedFrom(name: string, database: string): boolean {
  return name.startsWith(`${database}_`) && /^[0-9a-f]{8}$/.test(name.slice(database.length + 1));
}

export const nameTemplate = (database: string): string => `${database}_tpl`;
export const nameOwner = (database: string): string => `${database}_owner`;

/** The comment that provisioning and the reset write on a database; see bootstrap.sql. */
export function formatSeal(systemIdentifier: string, databaseOid: number): string {
  return `airlock testing on ${systemIdentifier} as ${databaseOid}`;
}
