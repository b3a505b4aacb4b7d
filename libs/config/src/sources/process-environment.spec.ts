import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { ENVIRONMENTS } from '../values/environment.js';
import { deriveNodeEnv } from './process-environment.js';
import { goodEnvironments, withFolder } from '../testing/index.js';

describe('deriveNodeEnv', () => {
  it.each([
    ['development', 'development'],
    ['testing', 'test'],
    ['preview', 'production'],
    ['staging', 'production'],
    ['production', 'production'],
  ] as const)('derives from %s the NODE_ENV %s', (environment, nodeEnv) => {
    expect(deriveNodeEnv(environment)).toBe(nodeEnv);
  });
});

describe('loadConfig without arguments', () => {
  it.each(ENVIRONMENTS)('reads the process environment and sets NODE_ENV in %s', async (environment) => {
    const nodeEnv = await withFolder({}, (cwd) => loadInProcess(cwd, goodEnvironments[environment]));
    expect(nodeEnv).toBe(deriveNodeEnv(environment));
  });

  it('does not change a NODE_ENV that is set', async () => {
    const env = { ...goodEnvironments.development, NODE_ENV: 'test' };
    expect(await withFolder({}, (cwd) => loadInProcess(cwd, env))).toBe('test');
  });

  it('works in a removed folder', async () => {
    const { stderr, stdout } = await withFolder({}, (cwd) =>
      run(cwd, goodEnvironments.production, `(await import('node:fs')).rmdirSync(process.cwd())`),
    );
    expect({ stdout, stderr }).toEqual({ stdout: 'production\n', stderr: '' });
  });
});

async function loadInProcess(cwd: string, env: Readonly<Record<string, string>>): Promise<string> {
  return (await run(cwd, env)).stdout.trim();
}

function run(cwd: string, env: Readonly<Record<string, string>>, before = '') {
  const hooks = new URL('../../../../tools/typescript.mjs', import.meta.url).href;
  const source = new URL('../load/load-config.ts', import.meta.url).href;
  const script = `const { loadConfig } = await import('${source}'); ${before}; loadConfig(); console.log(process.env.NODE_ENV);`;
  const args = ['--import', hooks, '--input-type=module', '--eval', script];
  return promisify(execFile)(process.execPath, args, { cwd, env });
}
