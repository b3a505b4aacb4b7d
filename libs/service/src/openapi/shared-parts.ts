import { problems } from '../problems/problem-codes.js';

const ETAG = { type: 'string', examples: ['"v1"'] };

export const requestHeaders = {
  'if-match': {
    name: 'If-Match',
    in: 'header',
    // Left out, the answer is 428: the document lets a client try.
    required: false,
    description: 'The ETag of the version to change; `*` means whichever there is.',
    schema: ETAG,
  },
  'if-none-match': {
    name: 'If-None-Match',
    in: 'header',
    required: false,
    description: 'The ETag of the version you have.',
    schema: ETAG,
  },
};

export const answerHeaders = {
  etag: { description: 'The version of the record.', schema: ETAG },
  location: { description: 'Where the record is.', schema: { type: 'string' } },
};

/** RFC 9457. */
export const problemSchema = {
  type: 'object',
  description: 'What went wrong. Branch on `code`; each has a page in docs/errors.',
  properties: {
    type: { type: 'string', format: 'uri', examples: ['urn:airlock:problem:not-found'] },
    title: { type: 'string' },
    status: { type: 'integer', minimum: 400, maximum: 599 },
    code: { type: 'string', enum: Object.keys(problems) },
    detail: { type: 'string' },
    instance: { type: 'string', description: 'Names this occurrence; it holds the request id.' },
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
