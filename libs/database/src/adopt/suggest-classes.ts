import { type Classes, type ColumnClass, json, personal } from '../model/column-classes.js';
import { createMask } from '../refresh/masks/create-mask.js';
import { KeyedHash } from '../refresh/masks/keyed-hash.js';
import { UnfitMaskError } from '../refresh/masks/mask.js';
import { toMaskedType } from '../refresh/plan-copy.js';
import type { ColumnFacts, ForeignKey, TableFacts } from '../refresh/read-tables.js';

/**
 * A guess for each column, for a person to accept or to correct: names and types tell what a column is for, not what it
 * holds. Text that is not recognised counts as personal.
 */
export function suggestClasses(tables: readonly TableFacts[], foreignKeys: readonly ForeignKey[]): Classes {
  const own = tables.filter(({ kind }) => kind === 'r' || kind === 'p');
  return Object.fromEntries(
    own.map(({ table, columns }) => {
      const pointing = foreignKeys.filter((key) => key.table === table).flatMap((key) => key.columns);
      const guesses = columns.map(
        (facts) => [facts, pointing.includes(facts.name) ? 'key' : fit(guess(facts), facts)] as const,
      );
      // Without its secrets no row can be written, and so none of the table is copied.
      const isSecret = guesses.some(([facts, of]) => of === 'secret' && facts.isRequired && !facts.hasDefault);
      return [table, Object.fromEntries(guesses.map(([{ name }, of]) => [name, isSecret ? 'secret' : of]))];
    }),
  );
}

/** The mask itself knows what it fits: a short or unique column has no room for a name. */
function fit(of: ColumnClass, facts: ColumnFacts): ColumnClass {
  const choices = [of, personal('text'), 'secret'] as const;
  return choices.find((choice) => isFitting(choice, facts))!;
}

function isFitting(of: ColumnClass, facts: ColumnFacts): boolean {
  if (typeof of === 'string' || of.class !== 'personal' || facts.isGenerated) return true;
  try {
    createMask(ANY_KEY, of.mask, toMaskedType(facts));
    return true;
  } catch (error) {
    if (error instanceof UnfitMaskError) return false;
    throw error;
  }
}

const ANY_KEY = new KeyedHash('', '');

const BY_NAME: readonly (readonly [RegExp, ColumnClass])[] = [
  [/passw|secret|token|salt|totp|otp|hash|credential|api_?key|private/i, 'secret'],
  [/e_?mail/i, personal('email')],
  [/phone|mobile|\bfax/i, personal('phone')],
  [/(given|first)_?name/i, personal('given-name')],
  [/(family|last|sur)_?name/i, personal('family-name')],
  [/^(full_?)?name$/i, personal('name')],
  [/address|street|post_?code|zip|city|^line\d?$/i, personal('address')],
];
const PERSONAL_VALUES = /born|birth|salary|income|wage|\bage\b|gender|religion/i;
const TEXT = /^(text|varchar|bpchar|citext|name)$/;

function guess({ name, base, isKey, isChecked, isGenerated, labels }: ColumnFacts): ColumnClass {
  const named = BY_NAME.find(([form]) => form.test(name))?.[1];
  if (named === 'secret') return named;
  if (isKey || labels.length > 0) return 'internal';
  if (TEXT.test(base)) {
    if (named) return named;
    // A text that must have a form is a code; no word has it.
    return isChecked && !isGenerated ? 'internal' : personal('text');
  }
  if (/^jsonb?$/.test(base)) return personal(json());
  if (base === 'bytea') return 'secret';
  if (/^(inet|cidr|macaddr8?|xml|hstore)$/.test(base)) return personal();
  return PERSONAL_VALUES.test(name) ? personal() : 'internal';
}

/** As it stands in a source file. Of the masks, `suggestClasses` uses texts and empty documents. */
export function printClass(of: ColumnClass): string {
  if (typeof of === 'string') return `'${of}'`;
  if (of.class !== 'personal') throw new Error(`${of.value}: is not a class that is suggested`);
  if (of.mask === 'type') return 'personal()';
  return typeof of.mask === 'string' ? `personal('${of.mask}')` : 'personal(json())';
}
