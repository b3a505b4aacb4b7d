import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LoadReport } from './load.js';
import { readRun } from './run.js';

export interface Figure extends LoadReport {
  readonly what: string;
  /** The number of requests that arrived more than once, if it was counted. */
  readonly twice?: number;
  readonly [more: string]: unknown;
}

/** Prints one line of figures on stderr, where it is visible whether the test passes or not. */
export async function report(what: string, load: LoadReport, more: object = {}): Promise<void> {
  const figure: Figure = { what, ...load, ...more };
  process.stderr.write(`\n  ${what}: ${JSON.stringify({ ...load, ...more })}\n`);
  await appendFile(fileOf(readRun().folder), `${JSON.stringify(figure)}\n`);
}

/** The table of docs/deployment.md. */
export async function renderFigures(folder: string): Promise<string> {
  const text = await readFile(fileOf(folder), 'utf8').catch(() => '');
  const figures = text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Figure)
    .sort((a, b) => a.what.localeCompare(b.what, 'en', { numeric: true }));
  const rows = figures.map(({ what, requests, failed, twice, seconds }) => [
    what,
    requests,
    failed,
    twice ?? '–',
    seconds,
  ]);
  const head = ['what', 'requests', 'failed', 'sent twice', 'seconds'];
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function fileOf(folder: string): string {
  return join(folder, 'figures.jsonl');
}
