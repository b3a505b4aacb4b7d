import type { Mask } from '../../model/column-classes.js';
import { maskArray } from './array-text.js';
import { createJsonMask } from './json-mask.js';
import type { KeyedHash } from './keyed-hash.js';
import { type MaskedType, UnfitMaskError, type ValueMask } from './mask.js';
import { createIdentifierMask, createTextMask } from './text-masks.js';
import { createTypeMask, hasTypeMask } from './type-masks.js';

const TEXTS = ['text', 'varchar', 'bpchar', 'citext', 'name'];
const DOCUMENTS = ['json', 'jsonb'];
const MOST_ATTEMPTS = 20;
const LONGEST_NAME = 63;

/** Why a type has no mask, where it could seem to have one. */
const REASONS: Readonly<Record<string, string>> = {
  tsvector: ', because its words are those of other columns',
  xml: ', because any of its parts may name a person',
  hstore: ', because its keys may name a person',
  line: ', because other numbers may not describe a line',
};

/** @throws UnfitMaskError unless the mask fits the type */
export function createMask(hash: KeyedHash, mask: Mask, type: MaskedType): ValueMask {
  if (typeof mask === 'object' && mask.kind === 'constant') {
    if (type.isUnique) throw new UnfitMaskError('is part of a unique key; expected a mask that keeps values apart');
    return () => mask.value;
  }
  // A document that holds nothing personal is the same afterwards.
  if (!type.isArray && typeof mask === 'object' && mask.kind === 'json') return createElementMask(hash, mask, type);
  if (!type.isArray) return changeAlways(createElementMask(hash, mask, type));
  if (type.isUnique) throw new UnfitMaskError('is an array in a unique key; expected a plain type');
  if (type.base === 'box') throw new UnfitMaskError('is an array of boxes, which has no mask; expected a plain type');
  const element = changeAlways(createElementMask(hash, mask, type));
  return (array, person, attempt) => maskArray(array, (value) => element(value, person, attempt));
}

function createElementMask(hash: KeyedHash, mask: Mask, type: MaskedType): ValueMask {
  const isText = TEXTS.includes(type.base) && type.labels.length === 0;
  if (typeof mask === 'object' && mask.kind === 'json') {
    if (!DOCUMENTS.includes(type.base)) throw new UnfitMaskError(`is ${type.base}; expected json or jsonb for json()`);
    return createJsonMask(hash, mask);
  }
  if (isText && mask !== 'type') {
    const limited = type.base === 'name' ? { ...type, maxLength: LONGEST_NAME } : type;
    return typeof mask === 'string'
      ? createTextMask(hash, mask, limited)
      : createIdentifierMask(hash, mask as never, limited);
  }
  if (isText) throw new UnfitMaskError(`is ${type.base}; expected personal('text') or another mask of text`);
  if (DOCUMENTS.includes(type.base)) throw new UnfitMaskError(`is ${type.base}; expected personal(json({ … }))`);
  // An identifier may be a uuid or a number, whose type already says how.
  if (typeof mask === 'string' && mask !== 'type')
    throw new UnfitMaskError(`is ${type.base}; expected text for '${mask}'`);
  if (!hasTypeMask(type))
    throw new UnfitMaskError(
      `is ${type.base}, which has no mask${REASONS[type.base] ?? ''}; expected constant(…), or the class secret`,
    );
  return createTypeMask(hash, type);
}

/** Whether a result may hold a backslash or a control character; for any other type it never does. */
export function hasEscapes(
  mask: Mask,
  { base, isArray, labels }: Pick<MaskedType, 'base' | 'isArray' | 'labels'>,
): boolean {
  if (isArray || base === 'bytea' || labels.length > 0) return true;
  return typeof mask === 'object';
}

/** A digest may by chance give the value itself. */
function changeAlways(mask: ValueMask): ValueMask {
  return (value, person, attempt) => {
    let masked = mask(value, person, attempt);
    for (let extra = 100; masked === value && extra < 100 + MOST_ATTEMPTS; extra += 1)
      masked = mask(value, person, attempt + extra);
    return masked;
  };
}
