// Runs the tests of every project, and prints a summary of their results. Arguments are for Nx: `--projects=api,cli`.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { glob } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folder = mkdtempSync(join(tmpdir(), 'airlock-tests-'));
// A terminal also signals Nx, which ends its children; this process ends after it.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => undefined);
try {
  const nx = spawn('nx', ['run-many', '-t', 'test', '--output-style=static', ...process.argv.slice(2)], {
    env: { ...process.env, TEST_SUMMARY_FOLDER: folder },
    stdio: 'inherit',
  });
  const [code] = await once(nx, 'exit');
  const summaries = readdirSync(folder).map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')));
  console.log(
    describe(summaries, process.argv.length > 2 ? summaries.map(({ project }) => project) : await listProjects()),
  );
  process.exitCode = code ?? 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** The projects with tests, by the names that Nx knows. */
async function listProjects() {
  const names = [];
  for await (const path of glob('{apps/*,libs/*,checks}/package.json')) {
    const { nx } = JSON.parse(readFileSync(path, 'utf8'));
    if (nx?.targets?.test) names.push(nx.name);
  }
  return names.sort();
}

function describe(summaries, projects) {
  const width = Math.max(...projects.map((name) => name.length));
  const rows = projects.map((name) => {
    const summary = summaries.find(({ project }) => project === name);
    return `  ${name.padEnd(width)}  ${summary ? count([summary]) : 'no result; see above'}`;
  });
  const list = (title, key) => {
    const names = summaries.flatMap((summary) => summary[key].map((name) => `  ${summary.project}: ${name}`));
    return names.length > 0 ? [`${title}:`, ...names] : [];
  };
  return ['', ...rows, `All: ${count(summaries)}`, ...list('Skipped', 'skips'), ...list('Failed', 'failures')].join(
    '\n',
  );
}

function count(summaries) {
  const sum = (of) => summaries.reduce((total, summary) => total + of(summary), 0);
  const skipped = sum((summary) => summary.skipped);
  return `${sum((summary) => summary.passed)} passed, ${sum((summary) => summary.failed)} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}
