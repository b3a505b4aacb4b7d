import ts from 'typescript';

// Each reader keeps the length of its text, so that a place in the prose is the same place in the file.

/** The prose of a document: code, in fences and in backticks, is left out. */
export function readMarkdown(text: string): string {
  return joinParagraphs(
    text
      .replace(/^( *)```[\s\S]*?^\1```$/gm, blank)
      .replace(/`[^`]*`/g, blank)
      .replace(/\]\([^)\n]*\)/g, blank),
  );
}

/** The comments and strings of a TypeScript or JavaScript file. A string is a paragraph. */
export function readSource(text: string): string {
  const prose = [...blank(text)];
  const keep = (from: number, to: number) => prose.splice(from, to - from, ...text.slice(from, to).split(''));
  const file = ts.createSourceFile('source.ts', text, ts.ScriptTarget.Latest, true);
  const visit = (node: ts.Node): void => {
    const start = node.getStart(file);
    for (const { pos, end } of ts.getLeadingCommentRanges(text, node.getFullStart()) ?? []) keep(pos, end);
    for (const { pos, end } of ts.getTrailingCommentRanges(text, node.getEnd()) ?? []) keep(pos, end);
    if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node)) {
      keep(start + 1, node.getEnd() - 1);
      if (!ts.isTemplateMiddleOrTemplateTail(node)) prose.splice(start - 1, 2, '\n', '\n');
      prose[node.getEnd() - 1] = ' ';
    }
    for (const child of node.getChildren(file)) visit(child);
  };
  visit(file);
  return joinParagraphs(dropMarkers(prose.join('').replace(/`[^`\n]*`/g, blank)));
}

/** A file whose comments begin with #, such as YAML, shell and Make. The rest is judged too: it holds help and messages. */
export function readScript(text: string): string {
  return joinParagraphs(dropMarkers(text));
}

function dropMarkers(text: string): string {
  return text.replace(/^[ \t]*(?:\/\*\*?|\*\/|\*|\/\/|#+)(?= |$)/gm, (marker) => ' '.repeat(marker.length));
}

function blank(code: string): string {
  return code.replace(/\S/g, '_');
}

/** A sentence may go on in the next line, unless a paragraph, list item, heading, quotation or table row begins there. */
function joinParagraphs(text: string): string {
  return text.replace(/(?<!\n)\n(?!\n|\s*(?:[-*>#|_]|\d+\.\s))/g, ' ');
}
