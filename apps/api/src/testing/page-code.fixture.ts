import { readFileSync } from 'node:fs';
import { runInThisContext } from 'node:vm';
import { transformSync } from '@swc/core';

type Exports = Record<string, unknown>;

/** The blocks of a page in docs that are TypeScript. */
export function readCode(page: string): string[] {
  const text = readFileSync(new URL(`../../../../docs/${page}`, import.meta.url), 'utf8');
  return [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = '']) => code);
}

/** Compiles a block as the build does, runs it, and returns its exports. */
export function runCode(code: string, modules: Readonly<Record<string, object>>): Exports {
  const { code: compiled } = transformSync(code, {
    swcrc: false,
    jsc: {
      target: 'es2024',
      parser: { syntax: 'typescript', decorators: true },
      transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: true },
    },
    module: { type: 'commonjs' },
  });
  const exports: Exports = {};
  const load = (name: string) => {
    if (modules[name]) return modules[name];
    throw new Error(`${name}: is imported by the page; expected one of ${Object.keys(modules).join(', ')}`);
  };
  const wrapped = runInThisContext(`(exports, require, Reflect) => {${compiled}\n}`) as (...args: unknown[]) => void;
  // The metadata of decorators is in the realm of the test.
  wrapped(exports, load, Reflect);
  return exports;
}
