/** Replace this with the first function of the library. */
export function describeBackups(): string {
  return 'backups';
}
