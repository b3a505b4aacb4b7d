/** HTML in which every value was escaped. */
export class Html {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}

export type HtmlValue = string | number | Html | readonly Html[];

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const ADDRESS_OPENS = /\b(href|src)=["']$/;
const UNQUOTED_OPENS = /=\s*$/;

/**
 * A template whose values are escaped: ``html`<p>Hello ${name}</p>` ``. A value can be the result of another template, or
 * a list of them. @throws for an address that is not http, https or mailto, and for an attribute without quotes
 */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  const parts = strings.map((before, index) => {
    const value = values[index];
    return value === undefined ? before : before + render(value, before);
  });
  return new Html(parts.join(''));
}

function render(value: HtmlValue, before: string): string {
  if (UNQUOTED_OPENS.test(before))
    throw new Error('html: a value is an attribute without quotes; expected name="${value}"');
  if (value instanceof Html) return value.toString();
  if (typeof value === 'object') return value.join('');
  const text = String(value);
  if (ADDRESS_OPENS.test(before) && !/^(https?:\/\/|mailto:)/i.test(text))
    throw new Error('html: a link does not begin with https://, http:// or mailto:; expected such an address');
  return text.replace(/[&<>"']/g, (letter) => ESCAPES[letter] ?? '');
}
