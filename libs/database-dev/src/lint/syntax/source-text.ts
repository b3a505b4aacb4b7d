import { type ScanToken, scanSync } from 'libpg-query';

/** A token with its depth in parentheses. Offsets are bytes. */
export interface Token extends ScanToken {
  readonly depth: number;
}

export function tokensOf(sql: string): Token[] {
  let depth = 0;
  // The scanner refuses an empty text.
  if (sql.trim() === '') return [];
  return scanSync(sql).tokens.map((token) => {
    if (/^[([]$/.test(token.text)) depth += 1;
    const own = { ...token, depth };
    if (/^[)\]]$/.test(token.text)) depth -= 1;
    return own;
  });
}

export const isComment = ({ tokenName }: ScanToken) => /^(SQL|C)_COMMENT$/.test(tokenName);

/**
 * The text from a position to the end of its clause: the next comma or closing parenthesis outside its own parentheses,
 * or the first token that `stops` accepts.
 */
export function clauseAt(sql: string, location: number | undefined, stops: (token: Token) => boolean = () => false) {
  const tokens = tokensOf(sql).filter((token) => token.start >= (location ?? 0) && !isComment(token));
  const [first] = tokens;
  if (first === undefined) return '';
  const base = first.depth - (/^[([]$/.test(first.text) ? 1 : 0);
  const end = tokens.findIndex(
    (token, index) =>
      index > 0 && ((token.depth === base && /^[,)\];]$/.test(token.text)) || (token.depth <= base && stops(token))),
  );
  return joinTokens(sql, end < 0 ? tokens : tokens.slice(0, end));
}

/** The source from the first token to the last, on one line. Comments between them are left out. */
export function joinTokens(sql: string, tokens: readonly Token[]): string {
  const bytes = Buffer.from(sql);
  let text = '';
  let end = tokens[0]?.start ?? 0;
  for (const token of tokens) {
    const gap = token.start > end ? ' ' : '';
    text += `${text === '' ? '' : gap}${bytes.subarray(token.start, token.end).toString()}`;
    end = token.end;
  }
  return text;
}
