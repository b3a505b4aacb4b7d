import { Command } from 'commander';
import { ENVIRONMENTS, isEnvironment } from '@airlock/config';
import { runChecks, type Verdict } from './run-checks.js';

interface Options {
  readonly url: string;
  readonly environment?: string;
  readonly digest?: string;
  readonly commit?: string;
  readonly wait: string;
  readonly json?: true;
}

const EXIT_USAGE = 2;

await new Command('smoke')
  .description('check a running API from outside; reads only')
  .requiredOption('--url <url>', 'the address of the API, e.g. --url https://api.example.com')
  .option(
    '--environment <name>',
    'the expected environment (default: run only the checks that apply to all of them), e.g. --environment production',
  )
  .option('--digest <digest>', 'the expected digest of the image, e.g. --digest sha256:…')
  .option('--commit <commit>', 'the expected commit')
  .option('--wait <seconds>', 'how long to wait until the API is ready, e.g. --wait 30', '15')
  .option('--json', 'print the verdicts as JSON')
  .action(run)
  .parseAsync();

async function run({ url, environment, digest, commit, wait, json }: Options): Promise<void> {
  if (!isAddress(url)) return refuse(`--url: ${JSON.stringify(url)} is not an address; expected https://host`);
  if (environment !== undefined && !isEnvironment(environment))
    return refuse(
      `--environment: ${JSON.stringify(environment)} is not an environment; expected ${ENVIRONMENTS.join(', ')}`,
    );
  if (!/^\d+$/.test(wait)) return refuse(`--wait: ${JSON.stringify(wait)} is not a number; expected seconds`);
  const verdicts = await runChecks({ url, environment, digest, commit }, Number(wait) * 1_000);
  const looked = verdicts.filter(({ outcome }) => outcome !== 'skipped').length;
  const failed = verdicts.filter(({ outcome }) => outcome === 'failed').length;
  if (json) console.log(JSON.stringify({ url, environment: environment ?? null, ok: failed === 0, verdicts }));
  else console.log([...verdicts.map(describe), `${looked - failed} of ${looked} checks passed`].join('\n'));
  process.exitCode = failed === 0 ? 0 : 1;
}

function describe({ fact, outcome, saw }: Verdict): string {
  return `${outcome.padEnd(7)}  ${fact}${saw === undefined ? '' : `: ${saw}`}`;
}

function refuse(problem: string): void {
  console.error(`${problem}\n  see: nx run smoke:check --help`);
  process.exitCode = EXIT_USAGE;
}

function isAddress(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}
