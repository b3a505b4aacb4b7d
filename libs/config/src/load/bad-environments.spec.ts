import { describe, expect, it } from '@jest/globals';
import { ConfigError } from '../values/config-error.js';
import { ENVIRONMENTS } from '../values/environment.js';
import { inspectConfig } from './inspect-config.js';
import { loadConfig } from './load-config.js';
import { findViolations, configRules } from '../rules/find-violations.js';
import type { Facts } from '../rules/config-rule.js';
import { badEnvironments, type BadEnvironment, goodEnvironments, withFolder } from '../testing/index.js';

describe('loadConfig', () => {
  it.each(ENVIRONMENTS)('accepts the smallest configuration of %s', async (environment) => {
    const config = await withFolder({}, (cwd) => loadConfig({ env: goodEnvironments[environment], cwd }));
    expect(config.environment).toBe(environment);
  });

  it.each(badEnvironments)('rejects $title', async (bad) => {
    const error = await refuse(bad);
    const lines = error.message.split('\n');
    expect(lines.filter((_, index) => index % 2 === 0)).toEqual(bad.lines);
    expect(lines.filter((_, index) => index % 2 === 1)).toEqual(bad.lines.map(() => expect.stringMatching(/^ {2}\w/)));
    expect(error.exitCode).toBe(78);
    expect(error.stack).toBe(`ConfigError: ${error.message}`);
  });
});

describe('the table of bad environments', () => {
  it('has a case for every rule', async () => {
    const facts = (await Promise.all(badEnvironments.map(factsOf))).flat();
    const count = (judged: typeof configRules) =>
      facts.reduce((sum, one) => sum + findViolations(one, judged).length, 0);
    const unseen = configRules.filter(
      (removed) => count(configRules.filter((rule) => rule !== removed)) === count(configRules),
    );
    // Only products have such variables; checks/src/service-address.spec.ts adds one.
    expect(unseen.map(({ title }) => title)).toEqual([
      'an outside service without https whose host is not in `PRIVATE_NETWORKS`',
      '`fake:` as the address of an outside service',
    ]);
  });
});

async function refuse({ base, set, files = {} }: BadEnvironment): Promise<ConfigError> {
  return withFolder(files, (cwd) => {
    try {
      loadConfig({ env: { ...goodEnvironments[base], ...set }, cwd });
    } catch (error) {
      if (error instanceof ConfigError) return error;
      throw error;
    }
    throw new Error('expected a refusal');
  });
}

function factsOf({ base, set, files = {} }: BadEnvironment): Promise<Facts[]> {
  const env: Record<string, string | undefined> = { ...goodEnvironments[base], ...set };
  return withFolder(files, (cwd) => {
    const { environment, texts, values } = inspectConfig({ env, cwd });
    if (!environment) return [];
    const plain = Object.fromEntries([...texts].map(([name, { text }]) => [name, text]));
    return [{ environment, values, texts: plain, env, cwd }];
  });
}
