export type { BackupError } from './problems/backup-error.js';
export { BackupStore } from './backup-store.js';
export { createBackup, type CreateOptions } from './create-backup.js';
export type { BackupManifest } from './manifest.js';
export { restoreBackup } from './restore-backup.js';
export { loadPast } from './load-past.js';
export { type DrillOptions, restoreDrill } from './restore-drill.js';
export { runSchedule } from './backup-schedule.js';
