import { Command } from 'commander';

export function dbRefreshCommand(): Command {
  return new Command('refresh')
    .description(
      "replace personal data in a restored copy of another environment's database, and stamp it for this environment",
    )
    .argument('<copy>', 'the full name of the copy, e.g. airlock_staging_copy')
    .option('--json', 'print the report as JSON')
    .addHelpText(
      'after',
      '\nReads ENVIRONMENT, DATABASE_URL, DATABASE_MIGRATION_URL and DATABASE_ADMIN_URL, which name the copy.\n' +
        'Staging, preview and development accept copies; production and testing never do.\n' +
        'Refuses a copy with objects that could keep or pass on a value, such as triggers and foreign tables.\n' +
        'Text in the schema, such as comments and defaults, is not changed: airlock db drift shows manual changes.\n' +
        'Exit codes: 0 done, 1 unfinished, run it again, 3 refused and nothing changed, 78 configuration.\n\nExample: airlock db refresh airlock_staging_copy',
    )
    .action(async (copy: string, { json }: { json?: true }) => {
      const [{ refresh }, { model }, { loadProvisioning }] = await Promise.all([
        import('@airlock/database/operations'),
        import('@airlock/model'),
        import('../command-line/load-provisioning.js'),
      ]);
      const report = await refresh({ ...model, ...loadProvisioning(), copy });
      for (const warning of report.warnings) console.error(`warning: ${warning}`);
      if (json) return console.log(JSON.stringify(report, null, 2));
      for (const [table, rows] of Object.entries(report.replaced)) console.log(`${table}: ${rows} rows replaced`);
      console.log(`${report.database}: was a copy of ${report.from.environment}, stamped ${report.stamp.environment}`);
    });
}
