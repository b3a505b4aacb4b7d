import ts from 'typescript';
import { AuthoringRefusal } from './refusal.js';

/** A name in each spelling that sources use. */
export interface Spelling {
  /** `customer-invoices`: files, folders, routes. */
  readonly kebab: string;
  /** `customer_invoices`: tables, constraints. */
  readonly snake: string;
  /** `customerInvoices` */
  readonly camel: string;
  /** `CustomerInvoices` */
  readonly pascal: string;
  /** `CUSTOMER_INVOICES` */
  readonly constant: string;
  /** `customer invoices`: prose. */
  readonly words: string;
  /** `Customer invoices` */
  readonly sentence: string;
}

export interface ResourceNames {
  readonly plural: Spelling;
  readonly singular: Spelling;
}

const KEBAB = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
/** PostgreSQL truncates identifiers at 63 bytes, and the longest index name adds 30 bytes to the name of its table. */
const LONGEST_NAME = 32;
/** Reserved keywords of PostgreSQL 18 (appendix C). A table of such a name would require quotes. */
const RESERVED_IN_SQL = new Set(
  (
    'all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate collation column ' +
    'concurrently constraint create cross current_catalog current_date current_role current_schema current_time ' +
    'current_timestamp current_user default deferrable desc distinct do else end except false fetch for foreign freeze from ' +
    'full grant group having ilike in initially inner intersect into is isnull join lateral leading left like limit localtime ' +
    'localtimestamp natural not notnull null offset on only or order outer overlaps placing primary references returning right ' +
    'select session_user similar some symmetric system_user table tablesample then to trailing true union unique user using ' +
    'variadic verbose when where window with'
  ).split(' '),
);

export function assertKebab(text: string, kind: string, example: string): void {
  if (KEBAB.test(text) && text.length <= LONGEST_NAME) return;
  throw new AuthoringRefusal(
    `${JSON.stringify(text)}: is not a valid ${kind} name; expected kebab-case of at most ${LONGEST_NAME} characters, such as ${example}`,
  );
}

/** The plural becomes a table name, and both become variable names. */
function assertNotReserved({ plural, singular }: ResourceNames): void {
  const inTypeScript = [plural, singular].find(({ camel }) => isReservedInTypeScript(camel));
  if (!inTypeScript && !RESERVED_IN_SQL.has(plural.snake)) return;
  const { kebab } = inTypeScript ?? plural;
  const language = inTypeScript ? 'TypeScript' : 'SQL';
  throw new AuthoringRefusal(`"${kebab}": is a reserved word of ${language}; expected another name`);
}

/** Whether a module cannot declare a variable of this name. */
export function isReservedInTypeScript(word: string): boolean {
  const scanner = ts.createScanner(ts.ScriptTarget.Latest, true, ts.LanguageVariant.Standard, word);
  const token = scanner.scan();
  const isReserved = token >= ts.SyntaxKind.FirstReservedWord && token <= ts.SyntaxKind.LastFutureReservedWord;
  return isReserved || ['await', 'eval', 'arguments', 'undefined'].includes(word);
}

export function spell(kebab: string): Spelling {
  const parts = kebab.split('-');
  const pascal = parts.map(capitalise).join('');
  const words = parts.join(' ');
  return {
    kebab,
    snake: parts.join('_'),
    camel: pascal.charAt(0).toLowerCase() + pascal.slice(1),
    pascal,
    constant: parts.join('_').toUpperCase(),
    words,
    sentence: capitalise(words),
  };
}

/**
 * @param singular required if it cannot be derived from the plural, such as `people`
 * @throws AuthoringRefusal
 */
export function parseResourceNames(plural: string, singular = singularOf(plural)): ResourceNames {
  assertKebab(plural, 'resource', 'notes');
  if (singular === undefined || singular === plural)
    throw new AuthoringRefusal(
      `"${plural}": is not a plural that ends in s; expected such a plural, or the singular as an option\n  airlock new resource ${plural} --singular NAME`,
    );
  assertKebab(singular, 'singular', 'note');
  const names = { plural: spell(plural), singular: spell(singular) };
  assertNotReserved(names);
  return names;
}

function singularOf(plural: string): string | undefined {
  if (/[^aeiou]ies$/.test(plural)) return plural.replace(/ies$/, 'y');
  if (/(ss|sh|ch|x|zz)es$/.test(plural)) return plural.replace(/es$/, '');
  return /[^s]s$/.test(plural) ? plural.replace(/s$/, '') : undefined;
}

/** `a` or `an`, by pronunciation. */
export function articleOf({ words }: Spelling): 'a' | 'an' {
  if (/^(hour|heir|honest|honou?r)/.test(words)) return 'an';
  return /^[aeiou](?!$)/.test(words) && !/^(eu|ewe|on(e|ce)\b|uni(?!n)|us[aeu]|ut[aeio]|ur[aeiu]|ufo)/.test(words)
    ? 'an'
    : 'a';
}

function capitalise(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
