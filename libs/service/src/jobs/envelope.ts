import { createHash } from 'node:crypto';
import type { z } from 'zod';
import { formatTraceparent } from '../context/identifiers.js';
import { currentContext } from '../context/request-context.js';
import { findUnstorable } from '../http/storable.js';
import type { Job } from './job.js';
import { assertFits, type Envelope, envelopeSchema, UnfitJob } from './shape.js';

/** Larger data belongs in a table; the job names its row. */
const MAX_BYTES = 64 * 1024;
const LONGEST_KEY = 200;

/**
 * Wraps the data with the ids of the request that sends it.
 *
 * @throws UnfitJob
 */
export function wrapData(job: Job, data: unknown, ownerId?: string): Envelope {
  assertFits(job.data, data, `job ${job.name}`);
  const context = currentContext();
  const envelope = {
    data,
    ...(ownerId !== undefined && { ownerId }),
    ...(context && {
      requestId: context.requestId,
      correlationId: context.correlationId,
      traceparent: formatTraceparent(context.trace),
    }),
  };
  assertStorable(envelope, job.name);
  return envelope;
}

/** @throws UnfitJob */
export function readEnvelope(job: Job, stored: unknown): { envelope: Envelope; data: unknown; cursor: unknown } {
  const where = `job ${job.name}`;
  const envelope = assertFits(envelopeSchema, stored, where);
  const cursor =
    envelope.cursor === undefined ? undefined : assertFits(cursorShape(job), envelope.cursor, `${where}: cursor`);
  return { envelope, data: assertFits(job.data, envelope.data, where), cursor };
}

/** @throws UnfitJob */
export function checkCursor(job: Job, cursor: unknown): void {
  assertFits(cursorShape(job), cursor, `job ${job.name}: cursor`);
  assertStorable(cursor, job.name);
}

function cursorShape({ name, cursor }: Job): z.ZodType {
  if (cursor) return cursor;
  throw new UnfitJob(`job ${name}: has no steps; expected no cursor`);
}

/** The same id for the same key, of each owner: the queue refuses a second job with the id. */
export function createJobId(name: string, key: string, ownerId?: string): string {
  if (key.trim() === '' || key.length > LONGEST_KEY || !key.isWellFormed() || key.includes('\0')) {
    throw new UnfitJob(`job ${name}: its key has ${key.length} characters; expected 1 to ${LONGEST_KEY}, storable`);
  }
  // No key contains the separator, so that the keys of an owner are not those of another one.
  const scoped = ownerId === undefined ? key : `${ownerId}\0${key}`;
  const hex = createHash('sha256').update(`${name}\n${scoped}`).digest('hex');
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 0x3) | 0x8).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    variant + hex.slice(17, 20),
    hex.slice(20, 32),
  ].join('-');
}

function assertStorable(value: unknown, name: string): void {
  const text = JSON.stringify(value);
  if (Buffer.byteLength(text) > MAX_BYTES) {
    throw new UnfitJob(`job ${name}: its data has ${Buffer.byteLength(text)} bytes; expected at most ${MAX_BYTES}`);
  }
  const unstorable = findUnstorable(value, (path, detail) => ({ pointer: `#/${path.join('/')}`, detail }));
  if (unstorable.length > 0)
    throw new UnfitJob(`job ${name}: ${unstorable[0]?.detail}; expected text that can be stored`);
  if (!isJson(value, JSON.parse(text)))
    throw new UnfitJob(`job ${name}: its data is not JSON; expected no Date, Map or class`);
}

/** Whether a value is the same after it was stored; undefined properties are left out. */
function isJson(value: unknown, copy: unknown): boolean {
  if (typeof value !== 'object' || value === null) return value === copy;
  if (typeof copy !== 'object' || copy === null) return false;
  const [own, stored] = [
    Object.entries(value).filter(([, part]) => part !== undefined),
    copy as Record<string, unknown>,
  ];
  const prototype = Object.getPrototypeOf(value) as object | null;
  const isPlain = Array.isArray(value) || prototype === null || Object.getPrototypeOf(prototype) === null;
  return isPlain && own.every(([key, part]) => isJson(part, stored[key])) && Object.keys(stored).length === own.length;
}
