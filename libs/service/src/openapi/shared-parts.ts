import { problems } from '../problems/problem-codes.js';

const ETAG = { type: 'string', examples: ['"v1-production"'] };

export const requestHeaders = {
  'if-match': {
    name: 'If-Match',
    in: 'header',
    // Not required in the document: a request without the header gets 428, which clients must be able to test.
    required: false,
    description: 'The ETag of the version to change; `*` means any version.',
    schema: ETAG,
  },
  'if-none-match': {
    name: 'If-None-Match',
    in: 'header',
    required: false,
    description: 'The ETag of the version that the caller has.',
    schema: ETAG,
  },
  'last-event-id': {
    name: 'Last-Event-ID',
    in: 'header',
    required: false,
    description: 'The id of the last event that the caller received.',
    schema: { type: 'string' },
  },
};

export const responseHeaders = {
  etag: { description: 'The version of the record.', schema: ETAG },
  'retry-after': { description: 'After how many seconds to ask again.', schema: { type: 'integer' } },
  location: { description: 'The address of the record.', schema: { type: 'string' } },
};

/** RFC 9457. */
export const problemSchema = {
  type: 'object',
  description: 'An error (RFC 9457). Branch on `code`; docs/errors has a page for each code.',
  properties: {
    type: { type: 'string', format: 'uri', examples: ['urn:airlock:problem:not-found'] },
    title: { type: 'string' },
    status: { type: 'integer', minimum: 400, maximum: 599 },
    code: { type: 'string', enum: Object.keys(problems) },
    detail: { type: 'string' },
    instance: { type: 'string', description: 'Identifies this occurrence; contains the request id.' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          pointer: { type: 'string', description: 'A JSON pointer (RFC 6901) into the body, `#/query` or `#/path`.' },
          detail: { type: 'string' },
        },
        required: ['pointer', 'detail'],
        additionalProperties: false,
      },
    },
    debug: { type: 'object', description: 'Only with DEBUG=true.' },
  },
  required: ['type', 'title', 'status', 'code'],
  additionalProperties: false,
};
