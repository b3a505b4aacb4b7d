import { Command } from 'commander';
import type { Environment, ProgramName } from '@airlock/config';
import { createEnvironmentOption } from '../command-line/environment-option.js';

export function configCommand(): Command {
  return new Command('config')
    .description('check, show and document the configuration')
    .addCommand(checkCommand())
    .addCommand(printCommand())
    .addCommand(exampleCommand())
    .addCommand(docsCommand());
}

function checkCommand(): Command {
  return new Command('check')
    .description('report every problem of the configuration at once; exits with 78 if there is one')
    .option('--json', 'print the verdict as JSON', false)
    .option('--program <name>', 'check only what this program reads: api, migrate or provision (default: everything)')
    .action(async ({ json, program }: { json: boolean; program?: string }) => {
      const { ConfigError } = await import('@airlock/config');
      const { inspectConfig } = await import('@airlock/config/loading');
      const inspection = inspectConfig({ program: await parseProgram(program) });
      const { environment, file, violations, warnings } = inspection;
      if (json)
        console.log(
          JSON.stringify({ valid: violations.length === 0, environment, file, violations, warnings }, null, 2),
        );
      else printWarnings(warnings);
      if (violations.length > 0) fail(new ConfigError(violations), !json);
      else if (!json)
        console.log(
          `The configuration of ${environment} is valid (${file ?? 'no .env file'} and the process environment).`,
        );
    });
}

async function parseProgram(name: string | undefined): Promise<ProgramName | undefined> {
  const { listNames, programNames } = await import('@airlock/config');
  const program = programNames.find((known) => known === name);
  if (program !== undefined || name === undefined) return program;
  const message = `--program: is ${JSON.stringify(name)}; expected ${listNames(programNames)}\n  see: airlock config check --help`;
  throw Object.assign(new Error(message), { exitCode: 2 });
}

function printCommand(): Command {
  return new Command('print')
    .description('print every value and where it comes from; secrets as [redacted]')
    .option('--json', 'print a JSON array of name, value, source and path', false)
    .action(async ({ json }: { json: boolean }) => {
      const { ConfigError } = await import('@airlock/config');
      const { inspectConfig, printVariables, renderVariables } = await import('@airlock/config/loading');
      const inspection = inspectConfig();
      console.log(json ? JSON.stringify(printVariables(inspection), null, 2) : renderVariables(inspection));
      printWarnings(inspection.warnings);
      if (inspection.violations.length > 0) fail(new ConfigError(inspection.violations), true);
    });
}

function exampleCommand(): Command {
  return new Command('example')
    .description('print the .env example of an environment, or write those of all environments')
    .addOption(createEnvironmentOption('the environment of the example').default('development'))
    .option('--write', 'write .env.example and docker/env/*.env.example in the root of the workspace', false)
    .action(async ({ environment, write }: { environment: Environment; write: boolean }) => {
      const { renderEnvExample, renderExamples } = await import('@airlock/config/loading');
      if (write) await writeFiles(renderExamples());
      else process.stdout.write(renderEnvExample(environment));
    });
}

function docsCommand(): Command {
  return new Command('docs')
    .description('print the reference of all variables and rules, or write docs/configuration.md')
    .option('--write', 'write the file in the root of the workspace', false)
    .action(async ({ write }: { write: boolean }) => {
      const { renderDocs } = await import('@airlock/config/loading');
      if (write) await writeFiles(renderDocs());
      else
        process.stdout.write(
          renderDocs()
            .map(({ content }) => content)
            .join(''),
        );
    });
}

async function writeFiles(files: readonly { path: string; content: string; command: string }[]): Promise<void> {
  const { writeGenerated } = await import('@airlock/config/loading');
  writeGenerated(files, process.cwd());
  for (const { path } of files) console.log(`wrote ${path}`);
}

function printWarnings(warnings: readonly string[]): void {
  for (const warning of warnings) console.error(`warning: ${warning}`);
}

function fail({ message, exitCode }: { message: string; exitCode: number }, isShown: boolean): void {
  if (isShown) console.error(message);
  process.exitCode = exitCode;
}
