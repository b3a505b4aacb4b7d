import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { type BucketAddress, Secret } from '@airlock/config';
import { isSigned } from './signature.fixture.js';

interface Answer {
  readonly status: number;
  readonly body?: string | Buffer;
  readonly headers?: Record<string, string>;
}

const ACCESS_KEY = 'AKIATEST';
const SECRET_KEY = 'bIu7/9+secret-of-a-test';
const xml = (name: string, content: string): Answer => ({
  status: 200,
  body: `<?xml version="1.0" encoding="UTF-8"?><${name}>${content}</${name}>`,
});
const error = (status: number, code: string): Answer => ({ ...xml('Error', `<Code>${code}</Code>`), status });

/** The part of the S3 protocol that the storage uses, in memory, with checked signatures. */
export class S3Server {
  readonly objects = new Map<string, Buffer>();
  readonly uploads = new Map<string, { key: string; parts: Map<number, Buffer> }>();
  /** The method and the path of each request. */
  readonly requests: string[] = [];
  /** Answers a request in place of the server; `hang` never answers. */
  intercept: (request: IncomingMessage) => Answer | 'hang' | undefined = () => undefined;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  static async start(): Promise<S3Server> {
    const started = new S3Server();
    await new Promise<void>((resolve) => started.#server.listen(0, '127.0.0.1', resolve));
    return started;
  }

  get address(): BucketAddress {
    return {
      kind: 'bucket',
      host: '127.0.0.1',
      port: (this.#server.address() as AddressInfo).port,
      hasTls: false,
      accessKey: ACCESS_KEY,
      secretKey: new Secret(SECRET_KEY),
      bucket: 'files',
      region: 'eu-central-1',
    };
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request).catch(() => undefined);
    if (!body) return;
    this.requests.push(`${request.method} ${request.url}`);
    const answer = this.intercept(request) ?? this.#answer(request, body);
    if (answer === 'hang') return;
    response.writeHead(answer.status, answer.headers).end(answer.body);
  }

  #answer(request: IncomingMessage, body: Buffer): Answer {
    if (!isSigned(request, body, { accessKey: ACCESS_KEY, secretKey: SECRET_KEY })) {
      const isKnown = request.headers.authorization?.includes(`Credential=${ACCESS_KEY}/`);
      return error(403, isKnown ? 'SignatureDoesNotMatch' : 'InvalidAccessKeyId');
    }
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://s3');
    const [, bucket, ...rest] = pathname.split('/');
    if (bucket !== 'files') return error(404, 'NoSuchBucket');
    const key = decodeURIComponent(rest.join('/'));
    return key === ''
      ? this.#answerBucket(searchParams)
      : this.#answerObject(request, { key, body, query: searchParams });
  }

  #answerBucket(query: URLSearchParams): Answer {
    const prefix = query.get('prefix') ?? '';
    if (query.has('uploads')) {
      const open = [...this.uploads].filter(([, { key }]) => key.startsWith(prefix));
      const items = open.map(([id, { key }]) => `<Upload><Key>${key}</Key><UploadId>${id}</UploadId></Upload>`);
      return xml('ListMultipartUploadsResult', items.join(''));
    }
    const names = [...this.objects.keys()].filter((key) => key.startsWith(prefix)).sort();
    const start = Number(query.get('continuation-token') ?? 0);
    const page = names.slice(start, start + 2);
    const items = page.map(
      (key) => `<Contents><Key>${key}</Key><Size>${this.objects.get(key)?.length}</Size></Contents>`,
    );
    const isLast = start + 2 >= names.length;
    const next = isLast ? '' : `<NextContinuationToken>${start + 2}</NextContinuationToken>`;
    return xml('ListBucketResult', `<IsTruncated>${!isLast}</IsTruncated>${next}${items.join('')}`);
  }

  #answerObject(
    { method, headers }: IncomingMessage,
    { key, body, query }: { key: string; body: Buffer; query: URLSearchParams },
  ): Answer {
    const upload = this.uploads.get(query.get('uploadId') ?? '');
    if (query.has('uploads')) {
      const id = randomUUID();
      this.uploads.set(id, { key, parts: new Map() });
      return xml('InitiateMultipartUploadResult', `<Key>${key}</Key><UploadId>${id}</UploadId>`);
    }
    if (query.has('uploadId')) {
      if (!upload) return error(404, 'NoSuchUpload');
      if (method === 'PUT') {
        upload.parts.set(Number(query.get('partNumber')), body);
        return { status: 200, headers: { etag: etagOf(body) } };
      }
      this.uploads.delete(query.get('uploadId') ?? '');
      if (method === 'DELETE') return { status: 204 };
      const parts = [...upload.parts].sort(([a], [b]) => a - b).map(([, bytes]) => bytes);
      this.objects.set(key, Buffer.concat(parts));
      return xml('CompleteMultipartUploadResult', `<Key>${key}</Key>`);
    }
    if (method === 'PUT') {
      if (headers['if-none-match'] === '*' && this.objects.has(key)) return error(412, 'PreconditionFailed');
      this.objects.set(key, body);
      return { status: 200, headers: { etag: etagOf(body) } };
    }
    if (method === 'DELETE') this.objects.delete(key);
    if (method === 'DELETE') return { status: 204 };
    const found = this.objects.get(key);
    return found ? { status: 200, body: found } : error(404, 'NoSuchKey');
  }
}

function etagOf(body: Buffer): string {
  return `"${createHash('md5').update(body).digest('hex')}"`;
}
