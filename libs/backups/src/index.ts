export { BackupError, type BackupProblem } from './backup-error.js';
export type { BackupOptions, RestoreOptions } from './backup-options.js';
export { BackupStore } from './backup-store.js';
export { type BackupReport, createBackup, type CreateOptions } from './create-backup.js';
export type { Manifest } from './manifest.js';
export { restoreBackup, type RestoreReport } from './restore-backup.js';
export { type DrillReport, restoreDrill, withRestored } from './restore-drill.js';
