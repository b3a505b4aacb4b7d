import { Command } from 'commander';
import { dbMigrateCommand } from './db-migrate.js';
import { dbProvisionCommand } from './db-provision.js';
import { dbResetTestCommand } from './db-reset-test.js';
import { dbSeedCommand } from './db-seed.js';
import { dbStatusCommand } from './db-status.js';

export function dbCommand(): Command {
  return new Command('db')
    .description('make, migrate, check and seed databases')
    .addCommand(dbProvisionCommand())
    .addCommand(dbMigrateCommand())
    .addCommand(dbResetTestCommand())
    .addCommand(dbSeedCommand())
    .addCommand(dbStatusCommand());
}
