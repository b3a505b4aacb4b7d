import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';

const hooks = new URL('../../../tools/typescript.mjs', import.meta.url).href;
const source = new URL('./shutdown.ts', import.meta.url).href;

describe('onLeaveSignals', () => {
  it('tells the later handler of a signal that came while nobody could be told', async () => {
    const script = `
      const { onLeaveSignals } = await import('${source}');
      onLeaveSignals(() => console.log('first'));
      process.kill(process.pid, 'SIGTERM');
      // As long as modules are read, nothing else runs.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
      onLeaveSignals((signal) => { console.log('second ' + signal); process.exit(0); });
      setTimeout(() => process.exit(1), 10_000);`;
    const args = ['--import', hooks, '--input-type=module', '--eval', script];
    const { stdout } = await promisify(execFile)(process.execPath, args, { env: {} });
    expect(stdout).toBe('second SIGTERM\n');
  });

  it.each(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGPWR'])('tells of %s', async (signal) => {
    expect(await run(`process.kill(process.pid, '${signal}');`)).toBe(`told ${signal}\n`);
  });

  it.each([
    'SIGUSR1',
    'SIGUSR2',
    'SIGALRM',
    'SIGVTALRM',
    'SIGPIPE',
    'SIGIO',
    'SIGXCPU',
    'SIGXFSZ',
    'SIGSTKFLT',
    'SIGTRAP',
    'SIGSYS',
  ])('survives %s, and opens no debugger', async (signal) => {
    const script = `
      const { url } = await import('node:inspector');
      process.kill(process.pid, '${signal}');
      setTimeout(() => { console.log('alive ' + url()); process.kill(process.pid, 'SIGTERM'); }, 100);`;
    expect(await run(script)).toBe('alive undefined\ntold SIGTERM\n');
  });
});

async function run(script: string): Promise<string> {
  const begin = `
    const { onLeaveSignals } = await import('${source}');
    onLeaveSignals((signal) => { console.log('told ' + signal); process.exit(0); });
    setTimeout(() => process.exit(1), 10_000);`;
  const args = ['--import', hooks, '--input-type=module', '--eval', begin + script];
  return (await promisify(execFile)(process.execPath, args, { env: {} })).stdout;
}
