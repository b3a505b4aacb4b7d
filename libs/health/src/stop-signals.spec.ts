import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';

const hooks = new URL('../../../tools/typescript.mjs', import.meta.url).href;
const source = new URL('./shutdown.ts', import.meta.url).href;

describe('onStopSignals', () => {
  it('passes a signal that arrived while modules were loaded to the later handler', async () => {
    const script = `
      const { onStopSignals } = await import('${source}');
      onStopSignals(() => console.log('first'));
      process.kill(process.pid, 'SIGTERM');
      // Blocks the event loop, as loading modules does.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
      onStopSignals((signal) => { console.log('second ' + signal); process.exit(0); });
      setTimeout(() => process.exit(1), 10_000);`;
    const args = ['--import', hooks, '--input-type=module', '--eval', script];
    const { stdout } = await promisify(execFile)(process.execPath, args, { env: {} });
    expect(stdout).toBe('second SIGTERM\n');
  });

  it.each(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGPWR'])('calls the handler for %s', async (signal) => {
    expect(await run(`process.kill(process.pid, '${signal}');`)).toBe(`handled ${signal}\n`);
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
    expect(await run(script)).toBe('alive undefined\nhandled SIGTERM\n');
  });
});

async function run(script: string): Promise<string> {
  const begin = `
    const { onStopSignals } = await import('${source}');
    onStopSignals((signal) => { console.log('handled ' + signal); process.exit(0); });
    setTimeout(() => process.exit(1), 10_000);`;
  const args = ['--import', hooks, '--input-type=module', '--eval', begin + script];
  return (await promisify(execFile)(process.execPath, args, { env: {} })).stdout;
}
