import { Command, InvalidArgumentError } from 'commander';

interface Options {
  readonly rows?: number;
  readonly json?: true;
}

export function dbSeedCommand(): Command {
  return new Command('seed')
    .description('add the missing sample rows; never in production')
    .option('--rows <count>', 'target number of rows (default: 20), e.g. --rows 10000', parseCount)
    .option('--json', 'print the report as JSON')
    .action(run);
}

async function run({ rows, json }: Options): Promise<void> {
  const [{ loadConfig }, { seed }, { model }] = await Promise.all([
    import('@airlock/config/loading'),
    import('@airlock/database/operations'),
    import('@airlock/model'),
  ]);
  const report = await seed({
    ...model,
    config: loadConfig({ program: 'migrate' }),
    rows,
    onProgress: createProgress(process.stderr),
  });
  if (json) console.log(JSON.stringify(report));
  else console.log(`${report.inserted} rows added, ${report.present} already existed`);
}

function parseCount(text: string): number {
  if (!/^[1-9]\d{0,7}$/.test(text)) throw new InvalidArgumentError('expected a whole number from 1 to 99999999');
  return Number(text);
}

/** A progress bar on a terminal; elsewhere a line for every 10 %. */
function createProgress(stream: NodeJS.WriteStream): (progress: { done: number; total: number }) => void {
  const width = 30;
  let tenths = 0;
  return ({ done, total }) => {
    const percent = Math.floor((done / total) * 100);
    if (stream.isTTY) {
      const bar = '#'.repeat(Math.floor((percent * width) / 100)).padEnd(width, '.');
      stream.write(`\r[${bar}] ${percent} %${done === total ? '\n' : ''}`);
    } else if (percent >= (tenths + 1) * 10) {
      tenths = Math.floor(percent / 10);
      stream.write(`seed: ${done} of ${total} rows\n`);
    }
  };
}
