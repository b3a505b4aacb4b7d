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
  it('creates the folder and keeps the content of the file', async () => {
    await assertWritable(file);
    await appendRecord(file, record);
    await assertWritable(file);
    expect(await loadJournal(file)).toEqual([record]);
  });

  it.each<[string, () => Promise<string>, string]>([
    ['a folder in its place', () => mkdir(file, { recursive: true }).then(() => file), 'EISDIR'],
    ['a file where its folder should be', () => writeFile(join(folder, 'new'), '').then(() => file), 'ENOTDIR'],
    ['a folder whose parent does not exist', () => Promise.resolve(join(folder, 'a/b/deployments.jsonl')), 'ENOENT'],
    ['a file system that cannot have folders', () => Promise.resolve('/proc/airlock/deployments.jsonl'), 'ENOENT'],
  ])('refuses %s before anything is changed', async (_what, arrange, code) => {
    const path = await arrange();
    await expect(assertWritable(path)).rejects.toThrow(
      `${path}: cannot be written (${code}); expected a writable file\n  nothing was changed; choose another file: --journal FILE`,
    );
  });
});

describe('appendRecord', () => {
  it('starts a new line after an incomplete one', async () => {
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
    ['is incomplete', '{"environment":"staging","digest":"sha2'],
    ['is not JSON', 'deployed by hand'],
    ['is JSON but not a record', '{"environment":"staging"}'],
    ['is null', 'null'],
  ])('names the line that %s: a promotion must not rely on an incomplete history', async (_what, line) => {
    const path = join(folder, 'journal');
    await writeFile(path, `${JSON.stringify(record)}\n\n${line}\n`);
    await expect(loadJournal(path)).rejects.toThrow(`${path}:3: is not a deployment record; expected one JSON object`);
  });

  it('reports a missing file', async () => {
    await expect(loadJournal(file)).rejects.toThrow(
      `${file}: cannot be read (ENOENT); expected the deployments.jsonl of staging\n  choose the file: --record FILE`,
    );
  });
});
