// node bench/many-files.mjs [files]
// Many test files on two workers, each with a database: does memory or disk grow from file to file?
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const FILES = Number(process.argv[2] ?? 200);
const ROOT = fileURLToPath(new URL('..', import.meta.url));
const folder = `${ROOT}libs/database-dev/src/testing/proofs/fixtures/many`;
/** The size of the run's cluster on /dev/shm, in MiB. The name of its folder contains the pid of Jest. */
const measureFolder = (pid) => {
  const parent = `/dev/shm/airlock-${process.getuid()}`;
  if (!existsSync(parent)) return 0;
  const own = readdirSync(parent).filter((name) => name.startsWith(`run-${pid}-`));
  if (own.length === 0) return 0;
  const { stdout } = spawnSync('du', ['-sm', ...own], { cwd: parent, encoding: 'utf8' });
  return stdout.split('\n').reduce((sum, line) => sum + Number(line.split('\t')[0]), 0);
};

mkdirSync(folder, { recursive: true });
try {
  for (let index = 0; index < FILES; index += 1) {
    writeFileSync(
      `${folder}/many-${index}.fixture.ts`,
      `import { expect, it } from '@jest/globals';
import { useTestDatabase } from '../../../fixture/use-test-database.js';

const database = useTestDatabase({ isolation: 'delete' });

it('has a database', async () => {
  await database.query("INSERT INTO parcels (owner_id, name) VALUES ('many', 'row')");
  expect(await database.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
});
`,
    );
  }
  let jest;
  const samples = [];
  const timer = setInterval(() => jest && samples.push(measureFolder(jest.pid)), 500);
  const start = performance.now();
  const args = [
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    '--import',
    `${ROOT}tools/typescript.mjs`,
  ];
  jest = spawn(
    process.execPath,
    [...args, `${ROOT}node_modules/jest/bin/jest.js`, '--maxWorkers=2', '--silent', 'many'],
    {
      cwd: `${ROOT}libs/database-dev/src/testing/proofs`,
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  let summary = '';
  jest.stderr.on('data', (chunk) => (summary += chunk));
  await once(jest, 'close');
  clearInterval(timer);
  console.log(
    summary
      .split('\n')
      .filter((line) => /^(.*Tests:|.*Test Suites:)/.test(line))
      .join('\n'),
  );
  const third = Math.floor(samples.length / 3);
  const mean = (list) => list.reduce((sum, value) => sum + value, 0) / list.length;
  console.log(`${FILES} files in ${((performance.now() - start) / 1000).toFixed(1)} s, exit code ${jest.exitCode}`);
  console.log(
    `its folder on /dev/shm: first third ${mean(samples.slice(0, third)).toFixed(0)} MiB, last third ${mean(samples.slice(-third)).toFixed(0)} MiB, most ${Math.max(...samples).toFixed(0)} MiB, after ${measureFolder(jest.pid).toFixed(0)} MiB`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
