import { isUtf8 } from 'node:buffer';
import type { FastifyInstance } from 'fastify';
import secureJson from 'secure-json-parse';
import { Problem } from '../problems/problem.js';

export const BODY_LIMIT_BYTES = 256 * 1024;
const MAX_DEPTH = 16;
const MAX_ITEMS = 1_000;
/** An empty body counts as no body, so that a DELETE with a content type is valid. */
const EMPTY = undefined;

/** Accepts JSON only. Rejects keys that could reach a prototype, deep nesting and long lists. */
export function useJsonBodies(server: FastifyInstance): void {
  server.removeAllContentTypeParsers();
  const options = { parseAs: 'buffer', bodyLimit: BODY_LIMIT_BYTES } as const;
  server.addContentTypeParser<Buffer>(
    /^application\/(?:[a-z.-]+\+)?json(?:;|$)/,
    options,
    ({ context }, bytes, done) => {
      try {
        context.verifyBody?.(bytes);
        done(null, parseBody(decode(bytes)));
      } catch (error) {
        done(error as Error);
      }
    },
  );
}

export function parseBody(text: string): unknown {
  if (text === '') return EMPTY;
  const value = parseSafely(text);
  assertShape(value);
  return value;
}

/** Decoding would replace invalid bytes by another character, which would then be stored. */
function decode(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString();
  throw new Problem('malformed-request', { detail: 'The body is not encoded as UTF-8.' });
}

function parseSafely(text: string): unknown {
  try {
    return secureJson.parse(text, undefined, { protoAction: 'error', constructorAction: 'error' });
  } catch (cause) {
    const isForbidden = cause instanceof SyntaxError && cause.message.includes('forbidden prototype');
    const detail = isForbidden ? 'The body contains a forbidden key.' : 'The body is not valid JSON.';
    throw new Problem('malformed-request', { detail, cause });
  }
}

/** Checks without recursion, because a deep body would overflow the stack. */
function assertShape(root: unknown): void {
  const open: { value: unknown; depth: number }[] = [{ value: root, depth: 1 }];
  for (let item = open.pop(); item; item = open.pop()) {
    if (typeof item.value !== 'object' || item.value === null) continue;
    const values: unknown[] = Object.values(item.value);
    if (item.depth > MAX_DEPTH)
      throw new Problem('body-too-large', { detail: `The body is nested deeper than ${MAX_DEPTH} levels.` });
    if (values.length > MAX_ITEMS) {
      throw new Problem('body-too-large', { detail: `A list or object has more than ${MAX_ITEMS} members.` });
    }
    for (const value of values) open.push({ value, depth: item.depth + 1 });
  }
}
