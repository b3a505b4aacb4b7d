import { describe, expect, it } from '@jest/globals';
import { createStackParser } from '@sentry/core';
import { nodeStackLineParser } from '@sentry/core/server';
import { withCallSite } from '../failures/call-site.js';
import { describeExceptions } from './exceptions.js';

const CANARY = 'canary-5f8cff11';
const describeAll = (error: unknown) => describeExceptions(error, createStackParser(nodeStackLineParser()));
const createError = (properties: object) => Object.assign(new Error(`broke on ${CANARY}`), properties);

describe('describeExceptions', () => {
  it.each<[string, unknown]>([
    ['a message', new Error(`no record called ${CANARY}`)],
    ['a message with a line like a frame', new Error(`x\n    at ${CANARY} (${CANARY}.ts:1:2)`)],
    ['a message that was changed after the stack was created', Object.assign(new Error(CANARY), { message: 'other' })],
    ['a name', Object.assign(new Error('x'), { name: `${CANARY} of a user` })],
    ['a code', createError({ code: `user ${CANARY}` })],
    [
      'the detail and the hint of PostgreSQL',
      createError({ code: '23505', detail: CANARY, hint: CANARY, where: CANARY }),
    ],
    ['an internal query', createError({ code: 'P0001', internalQuery: `SELECT '${CANARY}'` })],
    ['an invalid name of a column', createError({ code: '23502', column: `${CANARY}, of row (1)` })],
    ['a cause', new Error('x', { cause: new Error(CANARY) })],
    ['a cause that is a text', new Error('x', { cause: CANARY })],
    ['an aggregate', new AggregateError([new Error(CANARY)], CANARY)],
    ['an object that is not an error', { message: CANARY, [CANARY]: CANARY }],
    ['a text', CANARY],
    ['an error without a stack', Object.assign(new Error(CANARY), { stack: undefined })],
  ])('does not export %s', (_, error) => {
    expect(JSON.stringify(describeAll(error))).not.toContain(CANARY);
  });

  it('reports type, code and the names of the schema', () => {
    const error = createError({ name: 'DatabaseError', code: '23505', table: 'orders', constraint: 'orders_pkey' });
    expect(describeAll(error)).toMatchObject([
      { type: 'DatabaseError', value: expect.stringMatching(/^23505, table orders, constraint orders_pkey; /) },
    ]);
  });

  it('reports each cause, the root cause first, and a limited part of a cycle', () => {
    const first = new TypeError('first');
    expect(describeAll(new Error('last', { cause: first })).map(({ type }) => type)).toEqual(['TypeError', 'Error']);
    const circle = new Error('circle');
    circle.cause = circle;
    expect(describeAll(circle)).toHaveLength(5);
  });

  it('has the frames of the callers that await an error created elsewhere', async () => {
    async function applicationCaller(): Promise<void> {
      await withCallSite(
        () =>
          new Promise((_, reject) => setImmediate(() => reject(Object.assign(new Error('x'), { stack: 'Error: x' })))),
      );
    }
    const error: unknown = await applicationCaller().catch((thrown: unknown) => thrown);
    const functions = describeAll(error)[0]?.stacktrace?.frames?.map(({ function: name }) => name);
    expect(functions).toContain('applicationCaller');
  });
});
