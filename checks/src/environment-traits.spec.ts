import { pathToFileURL } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { Linter } from 'eslint';
import tseslint from 'typescript-eslint';
import { renderTraits } from '@airlock/config/loading';
import { readText, root } from './repository.js';

const { environmentTraits } = (await import(pathToFileURL(`${root}/tools/environment-traits.mjs`).href)) as {
  environmentTraits: Linter.Config[];
};

function lint(code: string, file = 'libs/database/src/thing.ts'): string[] {
  const parser = { files: ['**/*.ts'], languageOptions: { parser: tseslint.parser as Linter.Parser } };
  return new Linter({ cwd: root })
    .verify(code, [parser, ...environmentTraits], { filename: `${root}/${file}` })
    .map(({ message }) => message);
}

describe('the lint rule', () => {
  it.each([
    `if (environment === 'production') leave();`,
    `if ('testing' != environment) leave();`,
    'const isOurs = environment !== `staging`;',
    `switch (environment) { case 'preview': leave(); }`,
    `const SEEDABLE = ['development' as const];`,
    `const isLasting = new Set(['staging']).has(environment);`,
    `const isOurs = overlay.startsWith('production');`,
  ])('refuses %s', (code) => {
    expect(lint(code)).toEqual([expect.stringContaining('Ask for a trait instead')]);
  });

  it.each([
    `const config = createSessionConfig('testing');`,
    `const row = { environment: 'production', staging: '1' };`,
    `const isOurs = traitsOf(environment).mayBeSeeded;`,
    `if (word === 'product') leave();`,
  ])('accepts %s', (code) => {
    expect(lint(code)).toEqual([]);
  });

  it('applies to every file except the table and tests', () => {
    const code = `export const isOurs = environment === 'production';`;
    for (const file of ['apps/api/src/a.ts', 'tools/a.mjs', 'docker/a.mjs', 'libs/config/src/rules/a.ts'])
      expect([file, lint(code, file).length]).toEqual([file, 1]);
    expect(lint(code, 'libs/config/src/values/environment.ts')).toEqual([]);
    expect(lint(code, 'libs/database/src/a.spec.ts')).toEqual([]);
  });
});

describe('docs/environments.md', () => {
  it('shows the current table of traits', () => {
    expect(readText('docs/environments.md')).toContain(renderTraits());
  });
});
