import type { IdentifierMask, TextMask } from '../../model/column-classes.js';
import { type Digest, type KeyedHash, toLetters, uint16At, uint32At } from './keyed-hash.js';
import { type MaskedType, UnfitMaskError, type ValueMask } from './mask.js';
import { FIRST_NAMES, LAST_NAMES, LOREM, STREETS } from './words.js';

/** 65 bits: among a billion values, two meet with a probability of 1 in 70. */
const CODE_LETTERS = 13;
/** The bytes of a digest before it choose the words. */
const CODE_AT = 12;
/** RFC 2606: no mail server has this domain. */
const MAIL_DOMAIN = '@example.org';
/** A country code that the ITU has not assigned: no call and no message arrives. */
const PHONE_PREFIX = '+999';
const PHONE_DIGITS = 10;
const LONGEST_TEXT = 2000;

type Make = (digest: Digest, value: string) => string;

/** Number of characters that a result may need. `text` is cut to any length unless it must be unique. */
const LENGTHS: Readonly<Record<TextMask, number>> = {
  name: 45,
  'given-name': 16,
  'family-name': 34,
  email: CODE_LETTERS + MAIL_DOMAIN.length,
  phone: PHONE_PREFIX.length + PHONE_DIGITS,
  address: 40,
  text: 1,
};

export function createTextMask(
  hash: KeyedHash,
  mask: TextMask,
  type: Pick<MaskedType, 'maxLength' | 'isUnique' | 'base'>,
): ValueMask {
  const { maxLength: most = Number.POSITIVE_INFINITY, isUnique } = type;
  if (isUnique && mask === 'phone')
    throw new UnfitMaskError(
      `is part of a unique key; expected identifier(), because there are too few reserved phone numbers`,
    );
  const codes = isUnique && mask !== 'email' ? CODE_LETTERS + 1 : 0;
  const least = mask === 'text' && isUnique ? CODE_LETTERS : LENGTHS[mask] + (mask === 'text' ? 0 : codes);
  if (most < least) throw new UnfitMaskError(`holds ${most} characters; expected at least ${least} for ${mask}`);
  const make = MAKERS[mask](most);
  const isCode = isUnique && mask !== 'email' && mask !== 'text';
  const fold = chooseFold(type.base);
  return (value, _, attempt) => {
    const digest = hash.digest(mask, fold(value), attempt);
    const made = make(digest, value);
    return isCode ? `${made} ${toCode(digest)}` : made;
  };
}

export function createIdentifierMask(
  hash: KeyedHash,
  { prefix }: IdentifierMask,
  type: Pick<MaskedType, 'maxLength' | 'base'>,
): ValueMask {
  const least = prefix.length + CODE_LETTERS;
  if (type.maxLength !== undefined && type.maxLength < least)
    throw new UnfitMaskError(`holds ${type.maxLength} characters; expected at least ${least} for this identifier`);
  const fold = chooseFold(type.base);
  return (value, _, attempt) => prefix + toLetters(hash.digest('identifier', fold(value), attempt), CODE_LETTERS);
}

/** Values that the type takes for equal need equal results. */
function chooseFold(base: string): (value: string) => string {
  if (base === 'citext') return (value) => value.toLowerCase();
  return base === 'bpchar' ? (value) => value.trimEnd() : (value) => value;
}

const pick = (words: readonly string[], digest: Digest, at: number) => words[uint16At(digest, at) % words.length]!;
const toCode = (digest: Digest) => toLetters(digest, CODE_LETTERS, CODE_AT);
const letterAt = (digest: Digest, at: number) => String.fromCharCode(65 + (digest.charCodeAt(at) % 26));

const MAKERS: Readonly<Record<TextMask, (most: number) => Make>> = {
  name: () => (digest) =>
    `${pick(FIRST_NAMES, digest, 0)} ${pick(FIRST_NAMES, digest, 2)} ${pick(LAST_NAMES, digest, 4)}-${pick(LAST_NAMES, digest, 6)}`,
  'given-name': () => (digest) => `${pick(FIRST_NAMES, digest, 0)} ${letterAt(digest, 4)}. ${letterAt(digest, 5)}.`,
  'family-name': () => (digest) => [4, 6, 8].map((at) => pick(LAST_NAMES, digest, at)).join('-'),
  email: (most) => (digest) => {
    const code = toCode(digest);
    const realistic = `${pick(FIRST_NAMES, digest, 0)}.${pick(LAST_NAMES, digest, 4)}.`.toLowerCase();
    return (realistic.length + code.length + MAIL_DOMAIN.length <= most ? realistic : '') + code + MAIL_DOMAIN;
  },
  phone: () => (digest) =>
    PHONE_PREFIX +
    String((uint16At(digest, 0) * 2 ** 32 + uint32At(digest, 2)) % 10 ** PHONE_DIGITS).padStart(PHONE_DIGITS, '0'),
  address: () => (digest) =>
    `${1 + (uint16At(digest, 2) % 999)} ${pick(STREETS, digest, 0)}, Box ${toLetters(digest, 7, CODE_AT)}`,
  text: (most) => (digest, value) => {
    const code = toCode(digest);
    const wanted = Math.min(Math.max(value.length, CODE_LETTERS), most, LONGEST_TEXT);
    let words = '';
    for (let at = 0; words.length + CODE_LETTERS < wanted - 1; at = (at + 1) % 24)
      words += `${LOREM[digest.charCodeAt(at)]!} `;
    return (
      words.slice(0, Math.max(0, wanted - CODE_LETTERS - 1)).trimEnd() +
      (wanted > CODE_LETTERS + 1 ? ' ' : '') +
      code.slice(0, wanted)
    );
  },
};
