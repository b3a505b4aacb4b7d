import { describe, expect, it } from '@jest/globals';
import { type Environment, ENVIRONMENTS } from '../values/environment.js';
import { loadConfig } from '../load/load-config.js';
import { renderEnvExample } from '../render/env-example.js';
import { groupVariables, metaOf, schema, textFor, variableNames } from './schema.js';
import { parseEnvFile } from '../sources/env-file.js';
import { inspectConfig } from '../load/inspect-config.js';
import { defaultText } from './validate.js';
import { withFolder } from '../testing/index.js';

const everyPair = variableNames.flatMap((name) => ENVIRONMENTS.map((environment) => ({ name, environment })));

describe('the schema', () => {
  it.each(everyPair)('has a valid default or none for $name in $environment', ({ name, environment }) => {
    const text = defaultText(name, environment);
    const isAbsent = text === undefined;
    expect(isAbsent || schema.shape[name].safeParse(text).success).toBe(true);
  });

  it.each(everyPair)('has a valid example or none for $name in $environment', ({ name, environment }) => {
    const text = textFor(metaOf(name).example, environment);
    const isAbsent = text === undefined || text === '';
    expect(isAbsent || schema.shape[name].safeParse(text).success).toBe(true);
  });

  it.each(variableNames)('types %s as optional if and only if it may be absent', (name) => {
    const { default: byDefault, required } = metaOf(name);
    const isAlwaysThere = byDefault !== undefined || required?.length === ENVIRONMENTS.length;
    expect(schema.shape[name].safeParse(undefined).success).toBe(!isAlwaysThere);
  });

  it.each(variableNames)('has an example of %s in every environment that requires it', (name) => {
    const { required = [], shown = [], example } = metaOf(name);
    for (const environment of [...required, ...shown]) expect(textFor(example, environment)).toBeTruthy();
  });

  it.each(variableNames)('describes %s in a sentence', (name) => {
    expect(metaOf(name).description).toMatch(/^[A-Za-z].{10,110}\.$/);
  });

  it.each(variableNames.filter((name) => metaOf(name).secret && name !== 'SENTRY_DSN'))(
    'prints no secret in an example of %s',
    (name) => {
      const examples = ENVIRONMENTS.map((environment) => textFor(metaOf(name).example, environment) ?? '');
      for (const example of examples) expect(example).toMatch(/changethis|^(redis|catcher):\/\/[^@]*$|^file:/);
    },
  );

  it('gives every variable a group', () => {
    expect(groupVariables().flatMap(({ names }) => names)).toEqual(variableNames);
  });

  it.each(['development', 'testing'] as const)('renders a valid example of %s', async (environment) => {
    const config = await withFolder({ [`.env.${environment}`]: renderEnvExample(environment) }, (cwd) =>
      loadConfig({ env: { ENVIRONMENT: environment }, cwd }),
    );
    expect(config.environment).toBe(environment);
  });

  it.each(['preview', 'staging', 'production'] as const)(
    'renders an example of %s in which only secrets are rejected',
    (environment) => {
      const { violations } = inspectConfig({ env: Object.fromEntries(parseExample(environment)), files: false });
      const secrets = variableNames.filter((name) => metaOf(name).secret);
      expect(violations.length).toBeGreaterThan(0);
      for (const { name, problem } of violations) {
        expect(secrets).toContain(name);
        expect(problem).toMatch(/placeholder|characters|the same as/);
      }
    },
  );
});

function parseExample(environment: Environment): ReadonlyMap<string, string> {
  const { texts, violations } = parseEnvFile(renderEnvExample(environment), 'example');
  expect(violations).toEqual([]);
  return texts;
}
