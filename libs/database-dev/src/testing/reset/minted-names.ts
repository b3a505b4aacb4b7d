import { randomBytes } from 'node:crypto';

/** Names that only this tool gives: the test database's own and eight hex digits. */
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

/** What provisioning and the reset write as the comment of a database; see bootstrap.sql. */
export function formatSeal(systemIdentifier: string, databaseOid: number): string {
  return `airlock testing on ${systemIdentifier} as ${databaseOid}`;
}
