import { type ClientBase, escapeIdentifier, escapeLiteral } from 'pg';
import type { ScannedTable } from './scanned-columns.js';

/** RFC 2606 and RFC 6761: no mail arrives at these. */
const MAIL = String.raw`[a-z0-9._%+-]+@(?!([a-z0-9-]+\.)*(example\.(org|com|net)|example|test|invalid|localhost)\.?([^a-z0-9.-]|$))([a-z0-9-]+\.)+[a-z]{2,}`;
/** Written internationally. The country code 999 is not assigned. */
const PHONE = String.raw`(^|[^0-9a-z+])\+(?!999)[1-9][0-9][0-9 ()./-]{6,16}[0-9]`;
const CARD = String.raw`(?:^|[^0-9a-z.+-])([2-6][0-9](?:[ -]?[0-9]){11,17})(?![0-9a-z.-])`;

const MOST_CARDS = 1000;
/** Finds every candidate, faster than the whole expression. */
const MANY_DIGITS = '[0-9][0-9 -]{11}';

/** Addresses, phone numbers and card numbers of real people, in whatever column that is not public. */
export async function findPatterns(target: ClientBase, table: ScannedTable): Promise<string[]> {
  const columns = table.columns.filter(({ mayHoldText }) => mayHoldText);
  if (columns.length === 0) return [];
  const { rows } = await target.query<{ column: string; what: string; found: number }>(
    `SELECT v.name AS "column", p.what, count(*)::pg_catalog.float8 AS found FROM ${describeTexts(table)}
      CROSS JOIN LATERAL (VALUES (${escapeLiteral('mail addresses outside of example.org')}, ${describeMatch(MAIL, '@', '@example.org\n')}),
        (${escapeLiteral('phone numbers')}, ${describeMatch(PHONE, '+', '+999')})) p (what, is_found)
      WHERE p.is_found GROUP BY 1, 2 ORDER BY 1, 2`,
  );
  const findings = rows.map(({ column, what, found }) => `${table.name}.${column}: ${found} ${what}`);
  return [...findings, ...(await findCards(target, table))];
}

/** A text without the sign, or with it only in what a mask writes, needs no slow expression. */
function describeMatch(pattern: string, sign: string, written: string): string {
  return `CASE WHEN pg_catalog.strpos(pg_catalog.replace(v.value || pg_catalog.chr(10), ${escapeLiteral(written)}, ''), ${escapeLiteral(sign)}) > 0
    THEN v.value ~* ${escapeLiteral(pattern)} END`;
}

async function findCards(target: ClientBase, table: ScannedTable): Promise<string[]> {
  const { rows } = await target.query<{ column: string; card: string }>(
    `SELECT v.name AS "column", m[1] AS card FROM ${describeTexts(table)} CROSS JOIN LATERAL pg_catalog.regexp_matches(v.value, ${escapeLiteral(CARD)}, 'gi') m
      WHERE v.is_text AND v.value ~ ${escapeLiteral(MANY_DIGITS)} LIMIT ${MOST_CARDS}`,
  );
  const valid = rows.filter(({ card }) => hasCheckDigit(card.replaceAll(/\D/g, '')));
  const counts = Map.groupBy(valid, ({ column }) => column);
  return [...counts].map(([column, found]) => `${table.name}.${column}: ${found.length} card numbers`);
}

/** Only of columns that could hold such a text; one value for each. */
function describeTexts({ name, columns }: ScannedTable): string {
  const values = columns
    .filter(({ mayHoldText }) => mayHoldText)
    .map(
      (column) =>
        `SELECT ${escapeLiteral(column.name)} AS name, c.value, c.leaf IS NULL OR pg_catalog.jsonb_typeof(c.leaf) = 'string' AS is_text FROM ${column.values(`t.${escapeIdentifier(column.name)}`)} c`,
    );
  return `public.${escapeIdentifier(name)} t CROSS JOIN LATERAL (${values.join(' UNION ALL ')}) v`;
}

/** Luhn's algorithm, which every card number follows, and one other number in ten. */
function hasCheckDigit(digits: string): boolean {
  const sum = [...digits].reverse().reduce((total, digit, place) => {
    const value = Number(digit) * (place % 2 === 1 ? 2 : 1);
    return total + (value > 9 ? value - 9 : value);
  }, 0);
  return sum % 10 === 0 && new Set(digits).size > 1;
}
