import { renderFigures } from './report.ts';
import { endRun, readRun } from './run.ts';

export default async function tearDown() {
  process.stderr.write(`\n${await renderFigures(readRun().folder)}\n`);
  await endRun();
}
