import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';

const TYPESCRIPT = fileURLToPath(new URL('../../../tools/typescript.mjs', import.meta.url));

describe('@airlock/health', () => {
  // The supervisor, and a process with an invalid configuration, load only this.
  it.each([
    ['./index.ts', false],
    ['./indicator.ts', true],
  ])('whether %s loads a framework: %s', (entry, hasFramework) => {
    const script = `
      import { registerHooks } from 'node:module';
      const urls = [];
      registerHooks({ load: (url, context, next) => (urls.push(url), next(url, context)) });
      await import(${JSON.stringify(new URL(entry, import.meta.url).href)});
      console.log(String(urls.some((url) => url.includes('/node_modules/@nestjs/'))));`;
    const args = ['--import', TYPESCRIPT, '--input-type=module', '--eval', script];
    expect(JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }))).toBe(hasFramework);
  });
});
