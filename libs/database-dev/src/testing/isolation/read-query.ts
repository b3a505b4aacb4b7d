/**
 * A query as pg sends it. It is read once for both the check and the sending, because a property may return another
 * value the second time.
 */
export interface Query {
  readonly text: string;
  readonly values: readonly unknown[];
  /** Sent as one prepared statement; otherwise as a text that may contain several. */
  readonly isPrepared: boolean;
  readonly config: Readonly<Record<string, unknown>>;
  readonly callback: Callback | undefined;
}

export type Callback = (error: unknown, result?: unknown) => void;

/** All properties of a query config that pg reads. */
const KEYS = ['text', 'values', 'rows', 'types', 'name', 'queryMode', 'binary', 'portal', 'rowMode', 'query_timeout'];

/**
 * Reads the arguments of `client.query` in the order of pg: values and callback outside of the config have precedence.
 *
 * @param findPrepared the text that has been prepared under a name; a config may consist of the name alone
 */
export function readQuery(args: readonly unknown[], findPrepared: (name: string) => string | undefined): Query {
  const [first, second, third] = args;
  if (first === null || first === undefined) throw new TypeError('Client was passed a null or undefined query');
  const given = (typeof first === 'string' ? { text: first } : first) as Record<string, unknown>;
  const config = Object.fromEntries(KEYS.flatMap((key) => (key in given ? [[key, given[key]]] : [])));
  if (second && typeof second !== 'function') config['values'] = second;
  if (Array.isArray(config['values'])) config['values'] = [...(config['values'] as unknown[])];
  const { name, values } = config;
  const said = typeof config['text'] === 'string' ? config['text'] : '';
  return {
    text: said === '' && typeof name === 'string' ? (findPrepared(name) ?? '') : said,
    values: Array.isArray(values) ? values : [],
    isPrepared: isPrepared(config),
    config,
    callback: [third, second, given['callback']].find((value) => typeof value === 'function') as Callback | undefined,
  };
}

/** The same rule as in pg's Query. */
function isPrepared({ queryMode, name, rows, text, values }: Readonly<Record<string, unknown>>): boolean {
  if (queryMode === 'extended' || name || rows) return true;
  return Boolean(text) && Array.isArray(values) && values.length > 0;
}
