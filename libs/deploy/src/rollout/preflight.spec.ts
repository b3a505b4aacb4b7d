import { describe, expect, it } from '@jest/globals';
import { createConfigChecks, parseJobOutput, withConfigOf } from './preflight.js';

const question = {
  command: 'airlock db migrate --plan',
  isExpected: ({ pending }: { pending?: unknown[] }) => Array.isArray(pending),
};
const result = (change: object) => ({ exitCode: 0, stdout: '', stderr: '', error: '', ...change });

describe('parseJobOutput', () => {
  it('accepts the expected output', () => {
    expect(parseJobOutput(result({ stdout: '{"pending":[]}\n' }), question)).toEqual({ pending: [] });
  });

  it.each([
    ['nothing', {}],
    ['words', { stdout: 'OK\n' }],
    ['incomplete JSON', { stdout: '{"pending":[{"na' }],
    ['another object', { stdout: '{}\n' }],
    ['null', { stdout: 'null\n' }],
    ['a number', { stdout: '42\n' }],
    ['that the command does not exist', { exitCode: 127, stderr: 'airlock: not found\n' }],
    ['nothing, because it never started', { exitCode: 1, error: 'No such image' }],
  ])('refuses an image that prints %s', (_what, change) => {
    expect(() => parseJobOutput(result(change), question)).toThrow(
      /^airlock db migrate --plan: exit \d+: [\s\S]*; expected its output as JSON\n {2}nothing was changed/,
    );
  });
});

describe('createConfigChecks', () => {
  const run = (program: string) => ({ command: ['node', `/app/apps/${program}/dist/main.js`] });
  const check = (...args: string[]) => ['airlock', 'config', 'check', ...args];

  it('checks what the program of each service reads, and no service that is off', () => {
    const off = { ...run('callback'), deploy: { replicas: 0 } };
    const services = { api: {}, worker: { ...run('worker'), deploy: { replicas: 2 } }, callback: off };
    const jobs = createConfigChecks({ appServices: Object.keys(services), stack: { services } });
    expect(Object.entries(jobs).map(([name, { command }]) => [name, command])).toEqual([
      ['config-api', check()],
      ['config-worker', check('--program', 'worker')],
    ]);
  });
});

describe('withConfigOf', () => {
  const api = {
    environment: { ENVIRONMENT: 'staging', WORKERS: '2' },
    secrets: [{ source: 'a' }, { source: 'b' }],
    configs: [{ source: 'certificate', target: '/etc/ca.pem' }],
  };
  const stack = { services: { api } };

  it('adds the configuration of the application to that of the job, each secret once, with the files that its variables name', () => {
    const service = {
      image: 'x',
      environment: { ENVIRONMENT: 'staging' },
      secrets: [{ source: 'b' }, { source: 'c' }],
    };
    expect(withConfigOf({ appServices: ['api'], stack }, service)).toEqual({
      image: 'x',
      environment: { ENVIRONMENT: 'staging', WORKERS: '2' },
      secrets: [{ source: 'b' }, { source: 'c' }, { source: 'a' }],
      configs: [{ source: 'certificate', target: '/etc/ca.pem' }],
    });
  });

  it('does not change a job if there is no application', () => {
    const service = { environment: { A: '1' }, secrets: [{ source: 'c' }] };
    expect(withConfigOf({ appServices: [], stack }, service)).toEqual(service);
  });
});
