import { type Fail, parseAddress } from './address.js';
import { Secret } from './secret-value.js';

/** A folder of this machine. */
export interface FolderAddress {
  readonly kind: 'folder';
  /** Relative to the working folder, or absolute. */
  readonly path: string;
}

/** A bucket of an S3-compatible server. */
export interface BucketAddress {
  readonly kind: 'bucket';
  readonly host: string;
  readonly port: number;
  readonly hasTls: boolean;
  readonly accessKey: string;
  readonly secretKey: Secret;
  readonly bucket: string;
  readonly region: string;
}

export type StorageAddress = FolderAddress | BucketAddress;

const SHAPE = 's3://access-key:secret-key@host:443/bucket?region=eu-central-1, or a folder: file:./folder';
const FOLDER = /^file:\.?(\/(?!\.\.?(\/|$))[\w.-]+)+$/;
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const REGION = /^region=([a-z0-9-]{1,40})$/;
const WITHOUT_TLS = 's3+http';
/** The region that servers other than Amazon's take by default. */
const DEFAULT_REGION = 'us-east-1';

/** @throws AddressError, which holds no part of the text */
export function parseStorageUrl(text: string, where: string): StorageAddress {
  if (FOLDER.test(text)) return Object.freeze({ kind: 'folder', path: text.slice('file:'.length) });
  const { user, password, path, query, host, port } = parseAddress(text, where, {
    schemes: ['s3', WITHOUT_TLS],
    shape: SHAPE,
    credentials: 'required',
    readPath: readBucket,
    readQuery: readRegion,
  });
  const hasTls = !text.startsWith(`${WITHOUT_TLS}://`);
  const keys = { accessKey: user, secretKey: new Secret(password) };
  return Object.freeze({ kind: 'bucket', host, port, hasTls, ...keys, bucket: path, region: query });
}

function readBucket(path: string, fail: Fail): string {
  if (BUCKET.test(path) && !path.includes('..')) return path;
  return fail(
    'has no valid name of a bucket',
    '3 to 63 lowercase letters, digits, - and . after the host; escape / in a key as %2F',
  );
}

function readRegion(query: string | undefined, fail: Fail): string {
  if (query === undefined) return DEFAULT_REGION;
  return REGION.exec(query)?.[1] ?? fail('has another query than a region', 'nothing after ? but region=eu-central-1');
}
