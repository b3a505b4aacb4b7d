import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { appendRecord, assertWritable, loadJournal } from './deployment-journal.js';
import type { DeploymentRecord } from './release-record.js';

const record = {
  id: '1',
  environment: 'staging',
  image: 'registry.example.com/airlock@sha256:a',
  digest: 'sha256:a',
  outcome: 'succeeded',
  smoke: 'passed',
  startedAt: '2026-11-21T03:00:00.000Z',
  finishedAt: '2026-11-21T03:01:00.000Z',
} as unknown as DeploymentRecord;

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'airlock-journal-'));
  file = join(folder, 'new', 'deployments.jsonl');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('assertWritable', () => {
  it('makes the folder, and leaves what is in the file', async () => {
    await assertWritable(file);
    await appendRecord(file, record);
    await assertWritable(file);
    expect(await loadJournal(file)).toEqual([record]);
  });

  it.each<[string, () => Promise<string>, string]>([
    ['a folder in its place', () => mkdir(file, { recursive: true }).then(() => file), 'EISDIR'],
    ['a file where its folder should be', () => writeFile(join(folder, 'new'), '').then(() => file), 'ENOTDIR'],
    ['a folder that nobody made', () => Promise.resolve(join(folder, 'a/b/deployments.jsonl')), 'ENOENT'],
    ['a file system that makes no folders', () => Promise.resolve('/proc/airlock/deployments.jsonl'), 'ENOENT'],
  ])('refuses %s before anything is changed', async (_what, arrange, code) => {
    const path = await arrange();
    await expect(assertWritable(path)).rejects.toThrow(
      `${path}: cannot be written (${code}); expected a file that takes one more line\n  nothing was changed; name another one: --journal FILE`,
    );
  });
});

describe('appendRecord', () => {
  it('begins a line of its own behind one that was cut off', async () => {
    await mkdir(join(folder, 'new'));
    await writeFile(file, '{"id":"cut o');
    await appendRecord(file, record);
    await appendRecord(file, record);
    expect((await readFile(file, 'utf8')).split('\n')).toEqual([
      '{"id":"cut o',
      JSON.stringify(record),
      JSON.stringify(record),
      '',
    ]);
  });
});

describe('loadJournal', () => {
  it.each([
    ['is cut off', '{"environment":"staging","digest":"sha2'],
    ['is no JSON', 'deployed by hand'],
    ['is JSON, and no record', '{"environment":"staging"}'],
    ['is null', 'null'],
  ])('names the line that %s: a promotion must not rest on a history with a hole', async (_what, line) => {
    const path = join(folder, 'journal');
    await writeFile(path, `${JSON.stringify(record)}\n\n${line}\n`);
    await expect(loadJournal(path)).rejects.toThrow(
      `${path}:3: is no record of a deployment; expected one JSON object`,
    );
  });

  it('says of a file that it is not there', async () => {
    await expect(loadJournal(file)).rejects.toThrow(
      `${file}: cannot be read (ENOENT); expected the deployments.jsonl of staging\n  name one: --record FILE`,
    );
  });
});
