import { isIPv4 } from 'node:net';
import { type Digest, type KeyedHash, toBytes, uint32At } from './keyed-hash.js';
import { type MaskedType, UnfitMaskError, type ValueMask } from './mask.js';
import { DigitPermuter } from './permute-digits.js';
import { createRangeMask, hasRangeMask } from './range-masks.js';
import {
  createBitMask,
  createIntervalMask,
  createMoneyMask,
  createPathMask,
  createShapeMask,
  createUniqueAddressMask,
} from './shape-masks.js';
import { createMomentMask, createTimeMask } from './time-masks.js';

type Create = (hash: KeyedHash, type: MaskedType) => ValueMask;

const DIGEST_BYTES = 32;
const UNLIMITED = 10n ** 400n;

const SHAPES = ['point', 'lseg', 'box', 'path', 'polygon', 'circle'];

/** The mask of each type whose values can be replaced without knowing their meaning. */
const CREATORS: Readonly<Record<string, Create>> = {
  uuid: (hash) => (value, _, attempt) => toUuid(hash.digest('uuid', value.toLowerCase(), attempt)),
  int2: (hash) => createNumberMask(hash, 2n ** 15n - 1n),
  int4: (hash) => createNumberMask(hash, 2n ** 31n - 1n),
  int8: (hash) => createNumberMask(hash, 2n ** 63n - 1n),
  numeric: (hash, type) => unlessUnique(type.isUnique && !type.hasScale, createNumberMask(hash, UNLIMITED)),
  float4: (hash, type) => unlessUnique(type.isUnique, createNumberMask(hash, UNLIMITED)),
  float8: (hash, type) => unlessUnique(type.isUnique, createNumberMask(hash, UNLIMITED)),
  date: (hash, type) => unlessUnique(type.isUnique, createMomentMask(hash, { hasTime: false })),
  timestamp: (hash, type) => unlessUnique(type.isUnique, createMomentMask(hash, { hasTime: true })),
  timestamptz: (hash, type) => unlessUnique(type.isUnique, createMomentMask(hash, { hasTime: true })),
  time: (hash, type) => unlessUnique(type.isUnique, createTimeMask(hash)),
  timetz: (hash, type) => unlessUnique(type.isUnique, createTimeMask(hash)),
  bool: (_, type) => unlessUnique(type.isUnique, () => 'f'),
  bytea:
    (hash, { isUnique }) =>
    (value, _, attempt) => {
      const bytes = Math.max((value.length - 2) / 2, isUnique ? DIGEST_BYTES / 2 : 0);
      const digest = hash.digest('bytea', value, attempt);
      return `\\x${(bytes <= DIGEST_BYTES ? toBytes(digest).subarray(0, bytes) : hash.expand(digest, bytes)).toString('hex')}`;
    },
  inet: (hash, { isUnique }) => (isUnique ? createUniqueAddressMask(hash) : createAddressMask(hash, false)),
  cidr: (hash, type) => unlessUnique(type.isUnique, createAddressMask(hash, true)),
  macaddr: (hash, type) => unlessUnique(type.isUnique, createHardwareMask(hash, 6)),
  macaddr8: (hash, type) => unlessUnique(type.isUnique, createHardwareMask(hash, 8)),
  money: createMoneyMask,
  interval: (hash, type) => unlessUnique(type.isUnique, createIntervalMask(hash)),
  bit: createBitMask,
  varbit: createBitMask,
  ltree: createPathMask,
  ...Object.fromEntries(SHAPES.map((name) => [name, (hash: KeyedHash) => createShapeMask(hash)])),
};

export function createTypeMask(hash: KeyedHash, type: MaskedType): ValueMask {
  if (type.labels.length > 0) return unlessUnique(type.isUnique, createEnumMask(hash, type.labels));
  if (type.subtype && hasRangeMask(type.subtype))
    return unlessUnique(type.isUnique, createRangeMask(hash, type.subtype));
  const create = CREATORS[type.base];
  if (!create)
    throw new UnfitMaskError(
      `is ${type.base}, for which no type mask exists; expected personal('text'), json() or constant()`,
    );
  return create(hash, type);
}

export function hasTypeMask(type: MaskedType): boolean {
  return type.labels.length > 0 || hasRangeMask(type.subtype ?? '') || type.base in CREATORS;
}

function unlessUnique(isRefused: boolean, mask: ValueMask): ValueMask {
  if (!isRefused) return mask;
  throw new UnfitMaskError(
    'is part of a unique key, and two values could get the same mask; expected a type such as uuid, integer or text',
  );
}

/** RFC 9562, version 8. */
function toUuid(digest: Digest): string {
  const bytes = toBytes(digest);
  bytes[6] = (bytes[6]! & 0x0f) | 0x80;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString('hex', 0, 16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

function createNumberMask(hash: KeyedHash, most: bigint): ValueMask {
  const permuter = new DigitPermuter(hash);
  return (value) => {
    const [, sign = '', whole = '', fraction = '', rest = ''] = /^(-?)(\d+)(?:\.(\d+))?(.*)$/.exec(value) ?? [];
    if (whole === '') return '0';
    // The least number of an integer type is one further from 0 than the largest.
    const digits = permuter.permute(whole + fraction, sign === '-' && most !== UNLIMITED ? most + 1n : most);
    const padded = digits.padStart(fraction.length + 1, '0');
    const point = padded.length - fraction.length;
    return `${sign}${padded.slice(0, point)}${fraction && '.'}${padded.slice(point)}${rest}`;
  };
}

function createEnumMask(hash: KeyedHash, labels: readonly string[]): ValueMask {
  return (value, _, attempt) => {
    const others = labels.filter((label) => label !== value);
    return others.length === 0 ? value : others[uint32At(hash.digest('enum', value, attempt), 0) % others.length]!;
  };
}

/** 240.0.0.0/4 is reserved, and 2001:db8::/32 is for documentation: no host has such an address. */
function createAddressMask(hash: KeyedHash, isNetwork: boolean): ValueMask {
  return (value, _, attempt) => {
    const [address = '', prefix] = value.split('/');
    const digest = toBytes(hash.digest('address', value, attempt));
    const is4 = isIPv4(address);
    const bytes = is4 ? digest.subarray(0, 4) : Buffer.concat([Buffer.from('20010db8', 'hex'), digest.subarray(0, 12)]);
    if (is4) bytes[0] = 0xf0 | (bytes[0]! & 0x0f);
    if (isNetwork) clearHost(bytes, Number(prefix ?? bytes.length * 8));
    const text = is4
      ? `${bytes[0]}.${bytes[1]}.${bytes[2]}.${bytes[3]}`
      : (bytes.toString('hex').match(/.{4}/g) ?? []).join(':');
    return prefix === undefined ? text : `${text}/${prefix}`;
  };
}

function clearHost(bytes: Buffer, prefix: number): void {
  for (let bit = prefix; bit < bytes.length * 8; bit += 1) bytes[bit >> 3]! &= ~(0x80 >> (bit & 7));
}

/** Locally administered: no manufacturer assigns it. */
function createHardwareMask(hash: KeyedHash, length: number): ValueMask {
  return (value, _, attempt) => {
    const bytes = toBytes(hash.digest('hardware', value, attempt)).subarray(0, length);
    bytes[0] = (bytes[0]! & 0xfc) | 0x02;
    return (bytes.toString('hex').match(/../g) ?? []).join(':');
  };
}
