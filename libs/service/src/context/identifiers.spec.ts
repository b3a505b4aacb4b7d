import { describe, expect, it } from '@jest/globals';
import { acceptId, continueTrace, formatTraceparent } from './identifiers.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';

describe('acceptId', () => {
  it.each(['0768b453-b139-4415-885a-da03afbe9106', 'abcdefgh', 'A_b-9'.repeat(4)])('takes %s', (id) => {
    expect(acceptId(id)).toBe(id);
  });

  it.each([
    '',
    'short',
    'x'.repeat(65),
    'has space in it',
    'line\nbreak-here',
    '"quoted-id"',
    '-leading-dash',
    'ünïcödé-id',
    '${jndi:ldap}',
  ])('rejects %j', (id) => expect(acceptId(id)).toBeUndefined());
});

describe('continueTrace', () => {
  it('keeps the trace of the caller and adds a new span', () => {
    const trace = continueTrace(`00-${TRACE}-${PARENT}-01`);
    expect(trace).toMatchObject({ traceId: TRACE, isSampled: true });
    expect(trace.spanId).not.toBe(PARENT);
    expect(formatTraceparent(trace)).toBe(`00-${TRACE}-${trace.spanId}-01`);
  });

  it.each([
    undefined,
    '',
    `01-${TRACE}-${PARENT}-01`,
    `00-${'0'.repeat(32)}-${PARENT}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${PARENT}-01`,
    `00-${TRACE}-${PARENT}-01-more`,
  ])('begins a trace for %j', (header) => {
    const trace = continueTrace(header);
    expect(trace.traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(trace.traceId).not.toBe(TRACE);
    expect(trace.isSampled).toBe(false);
  });
});
