import { Readable } from 'node:stream';
import type { BucketAddress, Config } from '@airlock/config';
import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  paginateListObjectsV2,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import type { Backend, PutOptions, StoredObject } from './backend.js';
import { describeBucketFailure } from './bucket-failures.js';
import type { Purpose } from './storage-stamp.js';

/** An upload holds one part more in memory. */
const PARTS_AT_ONCE = 1;

/** Limits, and the proxy of a network that has no other way out. */
export type BucketOptions = Config['httpClient'] & { readonly proxy?: string | undefined };

/** A bucket of an S3-compatible server. */
export class Bucket implements Backend {
  readonly description: string;
  readonly #client: S3Client;
  readonly #bucket: string;

  constructor(
    address: BucketAddress,
    options: BucketOptions,
    readonly purpose: Purpose,
  ) {
    this.#client = createClient(address, { ...options, idleTimeoutMs: purpose.idleTimeoutMs ?? options.timeoutMs });
    this.#bucket = address.bucket;
    this.description = `the bucket ${address.bucket} on ${address.host}:${address.port}`;
  }

  async put(name: string, content: AsyncIterable<Uint8Array>, { mediaType, signal }: PutOptions = {}): Promise<void> {
    const target = { Bucket: this.#bucket, Key: name, ContentType: mediaType };
    const body = Readable.from(content, { objectMode: false });
    const upload = new Upload({
      client: this.#client,
      params: { ...target, Body: body },
      partSize: this.purpose.partBytes,
      queueSize: PARTS_AT_ONCE,
    });
    const abort = () => void upload.abort();
    signal?.addEventListener('abort', abort, { once: true });
    try {
      signal?.throwIfAborted();
      await this.#attempt(() => upload.done());
    } finally {
      signal?.removeEventListener('abort', abort);
      body.destroy();
    }
  }

  async create(name: string, bytes: Buffer): Promise<void> {
    const target = { Bucket: this.#bucket, Key: name, Body: bytes, IfNoneMatch: '*' };
    await this.#attempt(() => this.#client.send(new PutObjectCommand(target)));
  }

  async get(name: string): Promise<Readable> {
    const { Body } = await this.#attempt(() =>
      this.#client.send(new GetObjectCommand({ Bucket: this.#bucket, Key: name })),
    );
    return Body as Readable;
  }

  async delete(name: string): Promise<void> {
    const target = { Bucket: this.#bucket, Key: name };
    await this.#attempt(async () => {
      await this.#client.send(new DeleteObjectCommand(target));
      const unfinished = new ListMultipartUploadsCommand({ Bucket: this.#bucket, Prefix: name });
      const { Uploads = [] } = await this.#client.send(unfinished);
      for (const { Key, UploadId } of Uploads)
        if (Key === name) await this.#client.send(new AbortMultipartUploadCommand({ ...target, UploadId }));
    });
  }

  async *list(prefix: string): AsyncGenerator<StoredObject> {
    const pages = paginateListObjectsV2({ client: this.#client }, { Bucket: this.#bucket, Prefix: prefix });
    for (;;) {
      const page = await this.#attempt(() => pages.next());
      if (page.done) return;
      for (const { Key = '', Size = 0 } of page.value.Contents ?? []) yield { name: Key, bytes: Size };
    }
  }

  close(): void {
    this.#client.destroy();
  }

  async #attempt<T>(run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (error) {
      throw describeBucketFailure(error, this);
    }
  }
}

/** Every option that the client would otherwise look up in the process environment or in ~/.aws is given. */
function createClient(
  address: BucketAddress,
  { timeoutMs, idleTimeoutMs, maxRetries, proxy }: BucketOptions & { readonly idleTimeoutMs: number },
): S3Client {
  const { host, port, hasTls, region, accessKey, secretKey } = address;
  const agent = proxy === undefined ? {} : { proxyEnv: { http_proxy: proxy, https_proxy: proxy } };
  const shownHost = host.includes(':') ? `[${host}]` : host;
  return new S3Client({
    endpoint: `${hasTls ? 'https' : 'http'}://${shownHost}:${port}`,
    region,
    credentials: { accessKeyId: accessKey, secretAccessKey: secretKey.reveal() },
    forcePathStyle: true,
    maxAttempts: maxRetries + 1,
    retryMode: 'standard',
    defaultsMode: 'standard',
    useFipsEndpoint: false,
    useDualstackEndpoint: false,
    useArnRegion: false,
    disableMultiregionAccessPoints: true,
    disableS3ExpressSessionAuth: true,
    authSchemePreference: ['aws.auth#sigv4'],
    userAgentAppId: 'airlock',
    // Servers other than Amazon's may not know the checksums that newer clients add; the signature covers each part.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      connectionTimeout: timeoutMs,
      socketTimeout: idleTimeoutMs,
      httpAgent: agent,
      httpsAgent: agent,
    },
  });
}
