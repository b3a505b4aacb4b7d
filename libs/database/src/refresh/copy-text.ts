const ESCAPES: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };
const SPECIAL = /[\\\n\r\t\b\f\v]/;

/** Settings of a session, so that each server writes a value in the same text. */
export const TEXT_FORMS = `SET DateStyle = 'ISO'; SET IntervalStyle = 'postgres'; SET extra_float_digits = 1; SET bytea_output = 'hex';
  SET TimeZone = 'UTC'; SET xmloption = 'content'; SET lc_monetary = 'C'; SET client_encoding = 'UTF8'`;

/** NULL in the text format of COPY. */
export const COPY_NULL = '\\N';

export function decodeCopyText(field: string): string {
  if (!field.includes('\\')) return field;
  return field.replaceAll(/\\(.)/gs, (_, char: string) => ESCAPES[char] ?? char);
}

export function encodeCopyText(value: string): string {
  if (!SPECIAL.test(value)) return value;
  return value.replaceAll(/[\\\n\r\t\b\f\v]/g, (char) => {
    const letter = Object.entries(ESCAPES).find(([, one]) => one === char)?.[0];
    return `\\${letter ?? char}`;
  });
}
