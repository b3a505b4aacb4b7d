import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { readProcessEnvironment } from '@airlock/config';
import { describe, expect, it } from '@jest/globals';
import { findBreakingChanges } from './breaking-changes.js';
import { findRelease, readReleased } from './released-document.js';
import type { Json } from './schema-changes.js';

const PATH = 'apps/notes/openapi.json';

const note = {
  type: 'object',
  properties: {
    id: { type: 'string' },
    kind: { type: 'string', enum: ['a', 'b'] },
    size: { type: ['integer', 'null'] },
    parts: { type: 'array', items: { $ref: '#/components/schemas/Note' } },
  },
  required: ['id'],
};
const newNote = {
  type: 'object',
  properties: { name: { type: 'string', minLength: 1, maxLength: 200 }, size: { type: ['number', 'null'] } },
  additionalProperties: { type: 'string' },
};
const limit = { name: 'limit', in: 'query', required: false, schema: { type: 'integer', maximum: 100 } };
const json = (name: string) => ({
  content: { 'application/json': { schema: { $ref: `#/components/schemas/${name}` } } },
});
const operation = {
  parameters: [limit],
  requestBody: { required: false, ...json('NewNote') },
  responses: { 200: { headers: { etag: {} }, ...json('Note') }, 404: {} },
};

interface Changes {
  readonly operation?: object;
  readonly note?: object;
  readonly newNote?: object;
}

function create(changes: Changes = {}): Json {
  return {
    paths: { '/notes': { post: { ...operation, ...changes.operation } } },
    components: { schemas: { Note: { ...note, ...changes.note }, NewNote: { ...newNote, ...changes.newNote } } },
  };
}
const withNote = (properties: object) => create({ note: { properties: { ...note.properties, ...properties } } });
const withNewNote = (properties: object) =>
  create({ newNote: { properties: { ...newNote.properties, ...properties } } });
const without = (object: object, key: string) =>
  Object.fromEntries(Object.entries(object).filter(([name]) => name !== key));
const withLimit = (change: object) => create({ operation: { parameters: [{ ...limit, ...change }] } });

const SOURCE = new URL('./released-document.ts', import.meta.url).href;
const HOOKS = new URL('../../../../tools/typescript.mjs', import.meta.url).href;

describe('findBreakingChanges', () => {
  it.each([
    ['nothing', create()],
    ['a new optional parameter', create({ operation: { parameters: [limit, { ...limit, name: 'sort' }] } })],
    ['a new field of a response', withNote({ more: { type: 'string' } })],
    ['a new optional field that may be sent', withNewNote({ more: { type: 'string' } })],
    ['a new value of a response', withNote({ kind: { type: 'string', enum: ['a', 'b', 'c'] } })],
    ['a field of a response that is no longer null', withNote({ size: { type: 'integer' } })],
    ['a limit that allows more', withLimit({ schema: { type: 'integer', maximum: 200 } })],
    ['a field that accepts more types', withNewNote({ name: { type: ['string', 'null'] } })],
    ['a field that a response now always has', create({ note: { required: ['id', 'kind'] } })],
    ['a removed error', create({ operation: { responses: { 200: operation.responses[200] } } })],
  ])('sees none in %s', (_, after) => {
    expect(findBreakingChanges(create(), after)).toEqual([]);
  });

  it.each([
    ['an operation that is gone', { ...create(), paths: {} }, 'is gone'],
    ['a parameter that is gone', create({ operation: { parameters: [] } }), 'parameter query limit is gone'],
    ['a parameter that is now required', withLimit({ required: true }), 'parameter query limit is now required'],
    [
      'a parameter with a stricter limit',
      withLimit({ schema: { type: 'integer', maximum: 50 } }),
      'parameter query limit has a stricter maximum',
    ],
    [
      'a parameter of another type',
      withLimit({ schema: { type: 'boolean' } }),
      'parameter query limit may no longer be integer',
    ],
    [
      'a body that is now required',
      create({ operation: { requestBody: { required: true, ...json('NewNote') } } }),
      'a body is now required',
    ],
    [
      'a body of another type',
      create({ operation: { requestBody: { content: { 'text/plain': {} } } } }),
      'body is no longer application/json',
    ],
    ['a removed response', create({ operation: { responses: { 201: {} } } }), 'response 200 is gone'],
    [
      'a response without its header',
      create({ operation: { responses: { 200: json('Note') } } }),
      'response 200 no longer has the header etag',
    ],
    [
      'a response without a body',
      create({ operation: { responses: { 200: { headers: { etag: {} } } } } }),
      'response 200 is no longer application/json',
    ],
    [
      'a removed field of a response',
      create({ note: { properties: without(note.properties, 'kind') } }),
      'response 200.kind is gone',
    ],
    [
      'a field of a response that may be missing',
      create({ note: { required: [] } }),
      'response 200.id may now be missing',
    ],
    [
      'a field of a response that may be null',
      withNote({ id: { type: ['string', 'null'] } }),
      'response 200.id may now be null',
    ],
    [
      'a field of a response with a wider type',
      withNote({ size: { type: ['number', 'null'] } }),
      'response 200.size may now be number',
    ],
    [
      'a removed value of a response',
      withNote({ kind: { type: 'string', enum: ['a'] } }),
      'response 200.kind no longer allows b',
    ],
    [
      'items of another type',
      withNote({ parts: { type: 'array', items: { type: 'string' } } }),
      'response 200.parts[] may now be string',
    ],
    [
      'a field that can no longer be sent',
      create({ newNote: { properties: without(newNote.properties, 'size') } }),
      'body.size is gone',
    ],
    ['a field that must be sent', create({ newNote: { required: ['name'] } }), 'body.name is now required'],
    [
      'a field that accepts fewer types',
      withNewNote({ size: { type: 'integer' } }),
      'body.size may no longer be number',
    ],
    [
      'a field that must be longer',
      withNewNote({ name: { type: 'string', minLength: 2, maxLength: 200 } }),
      'body.name has a stricter minLength',
    ],
    [
      'a field with a pattern',
      withNewNote({ name: { ...newNote.properties.name, pattern: '^a' } }),
      'body.name has a stricter pattern',
    ],
    [
      'a field of few values',
      withNewNote({ name: { ...newNote.properties.name, enum: ['a'] } }),
      'body.name now accepts only some values',
    ],
    ['no other fields', create({ newNote: { additionalProperties: false } }), 'body now rejects unknown fields'],
    [
      'other fields of another type',
      create({ newNote: { additionalProperties: { type: 'null' } } }),
      'body.* may no longer be string',
    ],
  ])('names %s', (_, after, line) => {
    expect(findBreakingChanges(create(), after)).toContain(`post /notes: ${line}`);
  });
});

describe('the last release', () => {
  it('is the last tag such as v1.2.3 in the history, and its document is compared', () => {
    const folder = mkdtempSync(join(tmpdir(), 'release-'));
    const git = (...args: string[]) =>
      execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...args], { cwd: folder });
    const commit = (document: Json, tag: string) => {
      mkdirSync(dirname(join(folder, PATH)), { recursive: true });
      writeFileSync(join(folder, PATH), JSON.stringify(document));
      git('add', '.');
      git('commit', '--quiet', '--message', tag);
      git('tag', tag);
    };
    try {
      git('init', '--quiet');
      commit(withNote({ old: { type: 'string' } }), 'v1.2.3');
      commit(create(), 'v1.10.0');
      commit(withNote({ untold: { type: 'string' } }), 'nightly');
      expect(findRelease(folder)).toBe('v1.10.0');
      expect(readReleased(folder, { tag: 'v1.10.0', path: PATH })).toEqual(create());
      expect(
        findBreakingChanges(readReleased(folder, { tag: 'v1.10.0', path: PATH }), withNote({ id: { type: 'null' } })),
      ).not.toEqual([]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it.each([
    ['has no commit yet', (folder: string) => execFileSync('git', ['init', '--quiet'], { cwd: folder })],
    ['has an empty .git', (folder: string) => mkdirSync(join(folder, '.git'))],
    ['has no .git', () => undefined],
  ])('is none where a folder %s', (_, prepare) => {
    const folder = mkdtempSync(join(tmpdir(), 'release-'));
    try {
      prepare(folder);
      expect(findRelease(folder)).toBeUndefined();
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('is found in a checkout of another user', () => {
    const folder = mkdtempSync(join(tmpdir(), 'release-'));
    const git = (...args: string[]) =>
      execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...args], { cwd: folder });
    try {
      git('init', '--quiet');
      git('commit', '--quiet', '--allow-empty', '--message', 'first');
      git('tag', 'v2.0.0');
      // Git then takes the folder for one of another user; a real one would need an administrator.
      const env = { ...readProcessEnvironment(), GIT_TEST_ASSUME_DIFFERENT_OWNER: 'true' };
      const options = { cwd: folder, env, encoding: 'utf8', stdio: 'pipe' } as const;
      expect(() => execFileSync('git', ['tag'], options)).toThrow('dubious ownership');
      const script = `import { findRelease } from '${SOURCE}'; console.log(findRelease('.'))`;
      const words = ['--import', HOOKS, '--input-type=module', '--eval', script];
      expect(execFileSync(process.execPath, words, options)).toBe('v2.0.0\n');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
