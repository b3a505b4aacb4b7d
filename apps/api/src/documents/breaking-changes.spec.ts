import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { findBreakingChanges } from './breaking-changes.js';
import { DOCUMENT_ROOT, OPENAPI_FILE } from './documents.js';

type Document = Record<string, unknown>;

const parameter = (name: string, required = false) => ({ name, in: 'query', required, schema: { type: 'string' } });
const note = {
  type: 'object',
  properties: { id: { type: 'string' }, kind: { type: 'string', enum: ['a', 'b'] } },
  required: ['id'],
};
const create = (parameters: object[], schema: object = note, status = '200'): Document => ({
  paths: { '/notes': { get: { parameters, responses: { [status]: {} } } } },
  components: { schemas: { Note: schema } },
});
const before = create([parameter('limit')]);

describe('findBreakingChanges', () => {
  it.each([
    ['nothing', before],
    ['a new optional parameter', create([parameter('limit'), parameter('sort')])],
    [
      'a new optional field',
      create([parameter('limit')], { ...note, properties: { ...note.properties, more: { type: 'string' } } }),
    ],
  ])('sees none in %s', (_, after) => {
    expect(findBreakingChanges(before, after)).toEqual([]);
  });

  it.each([
    ['an operation that is gone', { paths: {}, components: before['components'] }, 'get /notes: is gone'],
    ['a parameter that is gone', create([]), 'get /notes: parameter query limit is gone'],
    [
      'a parameter that is now required',
      create([parameter('limit', true)]),
      'get /notes: parameter query limit is now required',
    ],
    ['an answer that is gone', create([parameter('limit')], note, '201'), 'get /notes: answer 200 is gone'],
    [
      'a field that is gone',
      create([parameter('limit')], { ...note, properties: { id: { type: 'string' } } }),
      'Note.kind: is gone',
    ],
    [
      'a field that is now required',
      create([parameter('limit')], { ...note, required: ['id', 'kind'] }),
      'Note.kind: is now required',
    ],
    [
      'a value that is gone',
      create([parameter('limit')], {
        ...note,
        properties: { ...note.properties, kind: { type: 'string', enum: ['a'] } },
      }),
      'Note.kind: no longer knows b',
    ],
    [
      'a field of another type',
      create([parameter('limit')], { ...note, properties: { ...note.properties, id: { type: 'integer' } } }),
      'Note.id: has another type',
    ],
  ])('names %s', (_, after, line) => {
    expect(findBreakingChanges(before, after)).toEqual([line]);
  });
});

describe(OPENAPI_FILE, () => {
  const release = findRelease();
  (release ? it : it.skip)(`breaks no client of the last release, ${release ?? 'once there is one'}`, () => {
    const released = JSON.parse(git('show', `${release}:${OPENAPI_FILE}`)) as Document;
    const current = JSON.parse(readFileSync(`${DOCUMENT_ROOT}${OPENAPI_FILE}`, 'utf8')) as Document;
    expect(findBreakingChanges(released, current)).toEqual([]);
  });
});

/** The last tag such as v1.2.3 that is part of this history. */
function findRelease(): string | undefined {
  try {
    return git('describe', '--tags', '--abbrev=0', '--match', 'v[0-9]*').trim();
  } catch {
    return undefined;
  }
}

function git(...args: string[]): string {
  return execFileSync('git', args, { cwd: DOCUMENT_ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
}
