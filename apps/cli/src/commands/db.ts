import { Command } from 'commander';
import { dbBackupCommand, dbBackupsCommand, dbRestoreCommand, dbRestoreDrillCommand } from './db-backup.js';
import { dbBackfillCommand } from './db-backfill.js';
import { dbAdoptCommand } from './db-adopt.js';
import { dbDriftCommand } from './db-drift.js';
import { dbInventoryCommand } from './db-inventory.js';
import { dbKeptCommand } from './db-kept.js';
import { dbLintCommand } from './db-lint.js';
import { dbMigrateCommand } from './db-migrate.js';
import { dbProvisionCommand } from './db-provision.js';
import { dbRefreshCommand } from './db-refresh.js';
import { dbResetTestCommand } from './db-reset-test.js';
import { dbSeedCommand } from './db-seed.js';
import { dbServeCommand } from './db-serve.js';
import { dbStatusCommand } from './db-status.js';

export function dbCommand(): Command {
  return new Command('db')
    .description('create, adopt, migrate, check, seed, back up and restore databases')
    .addCommand(dbProvisionCommand())
    .addCommand(dbAdoptCommand())
    .addCommand(dbLintCommand())
    .addCommand(dbMigrateCommand())
    .addCommand(dbBackfillCommand())
    .addCommand(dbStatusCommand())
    .addCommand(dbDriftCommand())
    .addCommand(dbSeedCommand())
    .addCommand(dbRefreshCommand())
    .addCommand(dbInventoryCommand())
    .addCommand(dbResetTestCommand())
    .addCommand(dbServeCommand())
    .addCommand(dbKeptCommand())
    .addCommand(dbBackupCommand())
    .addCommand(dbBackupsCommand())
    .addCommand(dbRestoreCommand())
    .addCommand(dbRestoreDrillCommand());
}
