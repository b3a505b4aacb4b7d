import { Command } from 'commander';
import { loadWorkspaceOnly } from '../command-line/workspace-only.js';

interface Options {
  readonly all?: true;
  readonly trace?: true;
  readonly rules?: true;
  readonly release?: true;
  readonly json?: true;
}

export function dbLintCommand(): Command {
  return new Command('lint')
    .description('check the new migrations: their text, and the locks that they take on a seeded throw-away database')
    .argument('[path]', 'an SQL file, or a folder of them, instead of the migrations, e.g. draft.sql')
    .option('--all', 'check the migrations of earlier releases too')
    .option('--trace', 'print what each statement locked and rewrote')
    .option('--rules', 'list the rules and exit')
    .option('--release', 'lint all and, without findings, record them as released: after that they must not change')
    .option('--json', 'print the report as JSON')
    .action(run);
}

async function run(path: string | undefined, options: Options): Promise<void> {
  const { describeFinding, describeTraces, lintFiles, lintMigrations, listRules, recordRelease } =
    await loadWorkspaceOnly('db lint', () => import('@airlock/database-dev/migration-checks'));
  if (options.rules) return console.log(listRules().join('\n'));
  const { model } = await import('@airlock/model');
  const isAll = options.all ?? options.release ?? false;
  const report = path === undefined ? await lintMigrations({ ...model, isAll }) : await lintFiles(path);
  const { findings, linted } = report;
  process.exitCode = findings.length === 0 ? 0 : 1;
  if (options.json) return console.log(JSON.stringify(report, null, 2));
  for (const finding of findings) console.log(describeFinding(finding));
  if (options.trace)
    for (const { name, traces } of linted) for (const line of describeTraces(name, traces)) console.log(line);
  console.error(`${count(linted.length, 'migration')} linted, ${count(findings.length, 'finding')}`);
  if (options.release && findings.length === 0) recordRelease(model);
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
