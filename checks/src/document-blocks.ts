import { readText } from './repository.js';

export interface Block {
  /** The commands of `sh` blocks must exist. `sh run` blocks are executed too, and `sql` blocks always are. */
  readonly kind: 'sh' | 'sh run' | 'sql';
  readonly text: string;
  readonly where: string;
}

/** The fenced blocks of a document that contain commands, including those inside lists. */
export function loadBlocks(path: string): Block[] {
  const found = readText(path).matchAll(/^( *)```(sh|sh run|sql)\n([\s\S]*?)\n\1```$/gm);
  return [...found].map((match) => {
    const [, indent = '', kind, text = ''] = match;
    const line = readText(path).slice(0, match.index).split('\n').length;
    return {
      kind: kind as Block['kind'],
      text: text.replaceAll(`\n${indent}`, '\n').trimStart(),
      where: `${path}:${line}`,
    };
  });
}

/** The commands of a block as words, without comments, preceding variables, and redirections. */
export function parseCommands(text: string): string[][] {
  return text
    .replaceAll('\\\n', ' ')
    .split(/\n| && /)
    .map((line) => parseWords(line.replace(/^\s*(export\s.*|#.*)$|\s+#\s.*$/, '')))
    .filter((words) => words.length > 0);
}

function parseWords(line: string): string[] {
  const words = [...line.matchAll(/"[^"]*(?:\$\([^)]*\))?[^"]*"|'[^']*'|[^\s"']+/g)].map(([word]) =>
    word.replace(/^(["'])([\s\S]*)\1$/, '$2'),
  );
  const redirected = words.findIndex((word) => /^[<>|]/.test(word));
  return (redirected < 0 ? words : words.slice(0, redirected)).filter(
    (word, index) => !(index === 0 && /^[A-Z_]+=/.test(word)),
  );
}
