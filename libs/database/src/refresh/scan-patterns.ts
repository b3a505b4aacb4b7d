import { type ClientBase, escapeIdentifier, escapeLiteral } from 'pg';
import type { ScannedTable } from './scanned-columns.js';

/** RFC 2606 and RFC 6761: no mail arrives at these. */
const MAIL = String.raw`[a-z0-9._%+-]+@(?!([a-z0-9-]+\.)*(example\.(org|com|net)|example|test|invalid|localhost)\.?([^a-z0-9.-]|$))([a-z0-9-]+\.)+[a-z]{2,}`;
/** Written internationally. The country code 999 is not assigned. */
const PHONE = String.raw`(^|[^0-9a-z+])\+(?!999)[1-9][0-9][0-9 ()./-]{6,16}[0-9]`;
const CARD = String.raw`(?:^|[^0-9a-z.+-])([2-6][0-9](?:[ -]?[0-9]){11,17})(?![0-9a-z.-])`;

/**
 * Finds every candidate in the texts of a row, faster than the expressions above. Each test stands alone, because
 * PostgreSQL is slow at a choice between expressions, and a cheap one comes first. In a document a digit may follow an
 * escape, whose last sign is a letter.
 */
const IS_CANDIDATE = String.raw`
  pg_catalog.strpos(whole, '@') > 0 AND whole ~ '[A-Za-z0-9._%+-]@(?!example\.org[\n",}])[A-Za-z0-9-]'
  OR pg_catalog.strpos(whole, '+') > 0 AND whole ~ '\+(?!999)[1-9][0-9][0-9 ()./-]{6}'
  OR whole ~ '[0-9 -]{13}' AND whole ~ '(^|[^0-9a-z.+-]|\\(u....|.))[2-6][0-9 -]{12}'`;

/** Addresses, phone numbers and card numbers of real people, in whatever column that is not public. */
export async function findPatterns(target: ClientBase, { name, columns }: ScannedTable): Promise<string[]> {
  const searched = columns.filter(({ mayHoldText }) => mayHoldText);
  if (searched.length === 0) return [];
  const texts = searched.map(({ name: column, text }) => text(`t.${escapeIdentifier(column)}`));
  const values = searched.map(({ name: column, values }) =>
    describeValues(column, values(`t.${escapeIdentifier(column)}`)),
  );
  const { rows } = await target.query<{ column: string; what: string; found: number }>(
    `SELECT v.name AS "column", p.what, count(*)::pg_catalog.float8 AS found FROM public.${escapeIdentifier(name)} t
      CROSS JOIN LATERAL (${values.join(' UNION ALL ')}) v
      CROSS JOIN LATERAL (SELECT 'mail addresses outside of example.org' AS what WHERE ${describeMatch(MAIL, '@', '@example.org\n')}
        UNION ALL SELECT 'phone numbers' WHERE ${describeMatch(PHONE, '+', '+999')}
        UNION ALL SELECT 'card numbers' FROM pg_catalog.regexp_matches(v.value, ${escapeLiteral(CARD)}, 'gi') m
          CROSS JOIN LATERAL (SELECT pg_catalog.regexp_replace(m[1], '[^0-9]', '', 'g') AS digits) d WHERE v.is_text AND ${HAS_CHECK_DIGIT}) p
     WHERE (SELECT ${IS_CANDIDATE}
              FROM (SELECT pg_catalog.array_to_string(ARRAY[${texts.join(', ')}, ''], pg_catalog.chr(10)) AS whole OFFSET 0) w)
     GROUP BY 1, 2 ORDER BY 1, 2`,
  );
  return rows.map(({ column, what, found }) => `${name}.${column}: ${found} ${what}`);
}

function describeValues(name: string, values: string): string {
  return `SELECT ${escapeLiteral(name)} AS name, c.value, c.leaf IS NULL OR pg_catalog.jsonb_typeof(c.leaf) = 'string' AS is_text FROM ${values} c`;
}

/** A text without the sign, or with it only in what a mask writes, needs no slow expression. */
function describeMatch(pattern: string, sign: string, written: string): string {
  return `CASE WHEN pg_catalog.strpos(pg_catalog.replace(v.value || pg_catalog.chr(10), ${escapeLiteral(written)}, ''), ${escapeLiteral(sign)}) > 0
    THEN v.value ~* ${escapeLiteral(pattern)} END`;
}

/** Luhn's algorithm, which every card number follows, and one other number in ten. */
const HAS_CHECK_DIGIT = `d.digits <> pg_catalog.repeat(pg_catalog.left(d.digits, 1), pg_catalog.length(d.digits)) AND (
  SELECT sum(CASE WHEN place % 2 = 1 THEN digit::int ELSE digit::int * 2 % 10 + digit::int / 5 END) % 10 = 0
    FROM pg_catalog.regexp_split_to_table(pg_catalog.reverse(d.digits), '') WITH ORDINALITY n (digit, place))`;
