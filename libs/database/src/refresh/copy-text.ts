const ESCAPES: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };
const SPECIAL = /[\\\n\r\t\b\f\v]/;

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
