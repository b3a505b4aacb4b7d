/** Replaces each element of an array in PostgreSQL's text form; its dimensions, bounds and NULLs stay. */
export function maskArray(text: string, mask: (element: string) => string): string {
  let result = '';
  let at = 0;
  if (text.startsWith('[')) {
    at = text.indexOf('=') + 1;
    result = text.slice(0, at);
  }
  while (at < text.length) {
    const char = text[at]!;
    if (char === '{' || char === '}' || char === ',') {
      result += char;
      at += 1;
      continue;
    }
    const [element, end] = readElement(text, at);
    result += element === undefined ? 'NULL' : quote(mask(element));
    at = end;
  }
  return result;
}

/** @returns undefined for NULL, and the place behind the element */
function readElement(text: string, from: number): [element: string | undefined, end: number] {
  if (text[from] !== '"') {
    let end = from;
    while (end < text.length && !',}'.includes(text[end]!)) end += 1;
    const bare = text.slice(from, end);
    return [bare === 'NULL' ? undefined : bare, end];
  }
  let element = '';
  let at = from + 1;
  for (; text[at] !== '"'; at += 1) {
    if (at >= text.length) throw new Error('an array ends inside of an element; expected the text form of PostgreSQL');
    if (text[at] === '\\') at += 1;
    element += text[at]!;
  }
  return [element, at + 1];
}

function quote(element: string): string {
  return `"${element.replaceAll(/["\\]/g, '\\$&')}"`;
}
