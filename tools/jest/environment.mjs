// The sandbox of one test file. Records whether the file has failed, and fails it for anything that it leaves open.
import { relative } from 'node:path';
import { TestEnvironment as NodeEnvironment } from 'jest-environment-node';
import { closeLeaks, describeLeaks, takeInventory } from './leaks.mjs';
import { refuseOutside } from './no-outside.mjs';
import { followTimers } from './timers.mjs';

const FAILURES = ['test_fn_failure', 'hook_failure', 'error'];
/** Modules in Jest's sandbox are an experimental feature of Node; its warning is expected. */
const EXPECTED_WARNINGS = ['ExperimentalWarning'];

export default class TestEnvironment extends NodeEnvironment {
  #file;
  #options;
  #services;
  #inventory;
  #admitOutside;
  #hasFailed = false;
  #warnings = [];
  #noteWarning = (warning) => {
    if (!EXPECTED_WARNINGS.includes(warning.name)) this.#warnings.push(`${warning.name}: ${warning.message}`);
  };

  constructor(config, context) {
    super(config, context);
    this.#file = relative(config.projectConfig.rootDir, context.testPath);
    this.#options = config.projectConfig.testEnvironmentOptions;
  }

  async setup() {
    await super.setup();
    if (this.#options.services) {
      const { createTestServices, publishTestServices } = await import(this.#options.services);
      this.#services = createTestServices(this.#file);
      publishTestServices(this.global, this.#services);
    }
    this.#admitOutside = refuseOutside(this.#options.reaches);
    process.on('warning', this.#noteWarning);
    this.#inventory = takeInventory(followTimers(this.global));
  }

  handleTestEvent({ name, test }) {
    if (name === 'test_start') this.#services?.startTest(nameTest(test));
    if (!FAILURES.includes(name) && !(name === 'test_done' && test.errors.length > 0)) return;
    this.#hasFailed = true;
    this.#services?.noteFailure();
  }

  async teardown() {
    const leaks = await describeLeaks(this.#inventory);
    closeLeaks(this.#inventory);
    if (this.#services && leaks.length > 0) this.#services.hasFailed = true;
    await this.#services?.releaseAll();
    this.#admitOutside?.();
    process.off('warning', this.#noteWarning);
    await super.teardown();
    // A failed test may leave handles open as a consequence; Jest would show those in place of the failure.
    if (this.#hasFailed) return;
    const problems = [
      ...leaks.map((leak) => `left open: ${leak}; expected it closed before the file ends`),
      ...this.#warnings.map((warning) => `Node warned: ${warning}`),
    ];
    if (problems.length > 0) throw new Error(problems.map((problem) => `${this.#file}: ${problem}`).join('\n'));
  }
}

/** The title of a test after those of its enclosing blocks. */
function nameTest({ name, parent }) {
  return parent?.parent ? `${nameTest(parent)} › ${name}` : name;
}
