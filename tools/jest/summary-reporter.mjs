// Lists the skipped tests of one project's run. Under `make test` it writes the result instead, for the summary at the
// end (tools/run-tests.mjs).
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export default class SummaryReporter {
  #isFiltered;

  constructor({ testNamePattern }) {
    this.#isFiltered = Boolean(testNamePattern);
  }

  onRunComplete(testContexts, results) {
    const folder = process.env.TEST_SUMMARY_FOLDER;
    const [context] = testContexts;
    if (!context) return;
    const project = context.config.displayName.name;
    const summary = summarise(project, results);
    if (folder) writeFileSync(join(folder, `${project}.json`), JSON.stringify(summary));
    // With -t, all other tests are skipped.
    else if (!this.#isFiltered && summary.skips.length > 0)
      process.stderr.write(['\nSkipped:', ...summary.skips.map((name) => `  ${name}`), ''].join('\n'));
  }
}

/** A file that failed before its first test counts as one failure. */
function summarise(project, { numPassedTests, numFailedTests, testResults }) {
  const name = (status) => (test) => (test.status === status ? [test.fullName] : []);
  const broken = testResults.filter(({ testExecError, failureMessage, numFailingTests }) =>
    Boolean((testExecError ?? failureMessage) && numFailingTests === 0),
  );
  const tests = testResults.flatMap((file) => file.testResults);
  const skipped = [...tests.flatMap(name('pending')), ...tests.flatMap(name('todo'))];
  return {
    project,
    passed: numPassedTests,
    failed: numFailedTests + broken.length,
    failures: [...tests.flatMap(name('failed')), ...broken.map((file) => file.testFilePath)],
    skipped: skipped.length,
    // A block that was skipped as a whole is one line: the reason is at the end of its title.
    skips: [...new Set(skipped.map((title) => title.replace(/(\(skipped: [^)]*\)).*/s, '$1')))],
  };
}
