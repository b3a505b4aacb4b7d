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
  .description('look at a running API from outside; reads only')
  .requiredOption('--url <url>', 'where it is, e.g. --url https://api.example.com')
  .option(
    '--environment <name>',
    'which environment it should be (default: only what holds in all of them is looked at), e.g. --environment production',
  )
  .option('--digest <digest>', 'the image that should answer, e.g. --digest sha256:…')
  .option('--commit <commit>', 'the commit that should answer')
  .option('--wait <seconds>', 'how long to wait for the first ready answer, e.g. --wait 30', '15')
  .option('--json', 'print the verdicts as JSON')
  .action(run)
  .parseAsync();

async function run({ url, environment, digest, commit, wait, json }: Options): Promise<void> {
  if (!isAddress(url)) return refuse(`--url: ${JSON.stringify(url)} is no address; expected https://host`);
  if (environment !== undefined && !isEnvironment(environment))
    return refuse(`--environment: ${JSON.stringify(environment)} is none; expected ${ENVIRONMENTS.join(', ')}`);
  if (!/^\d+$/.test(wait)) return refuse(`--wait: ${JSON.stringify(wait)} is no number; expected seconds`);
  const verdicts = await runChecks({ url, environment, digest, commit }, Number(wait) * 1_000);
  const looked = verdicts.filter(({ outcome }) => outcome !== 'skipped').length;
  const failed = verdicts.filter(({ outcome }) => outcome === 'failed').length;
  if (json) console.log(JSON.stringify({ url, environment: environment ?? null, ok: failed === 0, verdicts }));
  else console.log([...verdicts.map(describe), `${looked - failed} of ${looked} hold`].join('\n'));
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
