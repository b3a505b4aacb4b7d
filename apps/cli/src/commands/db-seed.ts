import { Command, InvalidArgumentError } from 'commander';

interface Options {
  readonly size?: string;
  readonly ifEmpty?: true;
  readonly json?: true;
}

const SIZES = ['small', 'medium', 'large'] as const;

export function dbSeedCommand(): Command {
  return new Command('seed')
    .description('add the missing sample rows; never in production')
    .option(
      '--size <size>',
      `${SIZES.join(', ')}, or a number of rows per table, such as 5000 (default: small)`,
      parseSize,
    )
    .option('--if-empty', 'only into tables in which the first sample user has no row')
    .option('--json', 'print the report as JSON')
    .action(run);
}

async function run({ size = 'small', ifEmpty, json }: Options): Promise<void> {
  const [{ loadConfig }, { SEED_SIZES }, { seed, withFlatMemory }, { model }] = await Promise.all([
    import('@airlock/config/loading'),
    import('@airlock/database/model'),
    import('@airlock/database/operations'),
    import('@airlock/model'),
  ]);
  const report = await withFlatMemory(() =>
    seed({
      seeds: model.seeds,
      config: loadConfig({ program: 'migrate' }),
      size: isSize(size) ? SEED_SIZES[size] : Number(size),
      ifEmpty,
      onProgress: createProgress(process.stderr),
    }),
  );
  if (json) console.log(JSON.stringify(report));
  else console.log(`${report.inserted} rows added, ${report.present} already existed`);
}

function isSize(text: string): text is (typeof SIZES)[number] {
  return SIZES.includes(text as (typeof SIZES)[number]);
}

function parseSize(text: string): string {
  if (isSize(text) || /^[1-9]\d{0,7}$/.test(text)) return text;
  throw new InvalidArgumentError(`expected ${SIZES.join(', ')} or a whole number from 1 to 99999999`);
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
