import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const program = fileURLToPath(new URL('../../bin/airlock.js', import.meta.url));
let checkout: string;

beforeAll(() => {
  checkout = mkdtempSync(join(tmpdir(), 'airlock-cli-'));
  writeFileSync(join(checkout, 'nx.json'), '{}');
});
afterAll(() => rmSync(checkout, { recursive: true, force: true }));

function run(env: Record<string, string>, ...args: string[]) {
  return spawnSync(process.execPath, [program, 'db', 'reset-test', ...args], { cwd: checkout, env, encoding: 'utf8' });
}

describe('airlock db reset-test', () => {
  it('exits with 3 if it refuses, as text and as JSON, and records the attempt', () => {
    const { status, stdout } = run({ ENVIRONMENT: 'production' });
    expect({ status, last: stdout.trim().split('\n').at(-1) }).toEqual({
      status: 3,
      last: 'Refused; nothing was changed. Most tests need no reset: `make test` gives each file its own database.',
    });
    const json = run({ ENVIRONMENT: 'production' }, '--json', '--explain');
    expect(json.status).toBe(3);
    expect(JSON.parse(json.stdout)).toMatchObject({ outcome: 'refused', verdicts: { length: 12 } });
    expect(readFileSync(join(checkout, '.airlock/reset-audit.jsonl'), 'utf8').trim().split('\n')).toHaveLength(2);
  });

  it.each([['--force'], ['--yes'], ['-f'], ['airlock_production']])('exits with 2 for the argument %s', (argument) => {
    expect(run({ ENVIRONMENT: 'testing' }, argument).status).toBe(2);
  });
});
