// Writes the result of one project's run, for the summary that `make test` ends with (tools/run-tests.mjs).
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export default class SummaryReporter {
  onRunComplete(testContexts, results) {
    const folder = process.env.TEST_SUMMARY_FOLDER;
    const [context] = testContexts;
    if (!folder || !context) return;
    const project = context.config.displayName.name;
    writeFileSync(join(folder, `${project}.json`), JSON.stringify(summarise(project, results)));
  }
}

/** A file that failed before its first test counts as one failure. */
function summarise(project, { numPassedTests, numFailedTests, testResults }) {
  const name = (status) => (test) => (test.status === status ? [test.fullName] : []);
  const broken = testResults.filter(({ testExecError, failureMessage, numFailingTests }) =>
    Boolean((testExecError ?? failureMessage) && numFailingTests === 0),
  );
  const tests = testResults.flatMap((file) => file.testResults);
  return {
    project,
    passed: numPassedTests,
    failed: numFailedTests + broken.length,
    failures: [...tests.flatMap(name('failed')), ...broken.map((file) => file.testFilePath)],
    skipped: [...tests.flatMap(name('pending')), ...tests.flatMap(name('todo'))],
  };
}
