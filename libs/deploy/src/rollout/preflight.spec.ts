import { describe, expect, it } from '@jest/globals';
import { parseAnswer, withConfigOf } from './preflight.js';

const question = {
  command: 'airlock db migrate --plan',
  isAnswer: ({ pending }: { pending?: unknown[] }) => Array.isArray(pending),
};
const result = (change: object) => ({ exitCode: 0, stdout: '', stderr: '', error: '', ...change });

describe('parseAnswer', () => {
  it('takes what was asked for', () => {
    expect(parseAnswer(result({ stdout: '{"pending":[]}\n' }), question)).toEqual({ pending: [] });
  });

  it.each([
    ['nothing', {}],
    ['words', { stdout: 'OK\n' }],
    ['half of it', { stdout: '{"pending":[{"na' }],
    ['something else', { stdout: '{}\n' }],
    ['null', { stdout: 'null\n' }],
    ['a number', { stdout: '42\n' }],
    ['that it does not know the command', { exitCode: 127, stderr: 'airlock: not found\n' }],
    ['nothing, because it never started', { exitCode: 1, error: 'No such image' }],
  ])('refuses an image that answers %s', (_what, change) => {
    expect(() => parseAnswer(result(change), question)).toThrow(
      /^airlock db migrate --plan: exit \d+: [\s\S]*; expected its answer as JSON\n {2}nothing was changed/,
    );
  });
});

describe('withConfigOf', () => {
  const api = {
    environment: { ENVIRONMENT: 'staging', WORKERS: '2' },
    secrets: [{ source: 'a' }, { source: 'b' }],
    configs: [{ source: 'certificate', target: '/etc/ca.pem' }],
  };
  const stack = { services: { api } };

  it('gives a job what the application has besides its own, each secret once, and the files that its variables name', () => {
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

  it('leaves a job as it is where there is no application', () => {
    const service = { environment: { A: '1' }, secrets: [{ source: 'c' }] };
    expect(withConfigOf({ appServices: [], stack }, service)).toEqual(service);
  });
});
