import { Command } from 'commander';
import { newAppCommand } from './new-app.js';
import { newBackfillCommand } from './new-backfill.js';
import { newJobCommand } from './new-job.js';
import { newLibCommand } from './new-lib.js';
import { newMigrationCommand } from './new-migration.js';
import { newProtectionCommand } from './new-protection.js';
import { newResourceCommand } from './new-resource.js';
import { newVariableCommand } from './new-variable.js';

export function newCommand(): Command {
  return new Command('new')
    .description(
      'generate the sources of a resource, migration, backfill, protection, job, variable, library or app, and list what to change in them',
    )
    .addCommand(newResourceCommand())
    .addCommand(newMigrationCommand())
    .addCommand(newBackfillCommand())
    .addCommand(newProtectionCommand())
    .addCommand(newJobCommand())
    .addCommand(newVariableCommand())
    .addCommand(newLibCommand())
    .addCommand(newAppCommand());
}
