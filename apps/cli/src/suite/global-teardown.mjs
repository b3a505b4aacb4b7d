import { NO_EDGE } from './edge-images.ts';
import { renderFigures } from './suite-report.ts';
import { endRun, readRun } from './run.ts';

export default async function tearDown() {
  process.stderr.write(`\n${await renderFigures(readRun().folder)}\n`);
  if (!readRun().edge) process.stderr.write(`\n${NO_EDGE}\n`);
  await endRun();
}
