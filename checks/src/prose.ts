import ts from 'typescript';

// Each reader keeps the length of its text, so that positions in the prose and in the file are the same.

/** The prose of a document, without code in fences and in backticks. */
export function readMarkdownProse(text: string): string {
  return joinParagraphs(
    text
      .replace(/^( *)```[\s\S]*?^\1```$/gm, blank)
      .replace(/`[^`]*`/g, blank)
      .replace(/\]\([^)\n]*\)/g, blank),
  );
}

/** The comments and strings of a TypeScript or JavaScript file. A string is a paragraph. */
export function readSourceProse(text: string): string {
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

/**
 * A file whose comments begin with #, such as YAML, shell and Make. Its code is read too: it contains help and
 * messages.
 */
export function readScriptProse(text: string): string {
  return joinParagraphs(dropMarkers(text));
}

function dropMarkers(text: string): string {
  return text.replace(/^[ \t]*(?:\/\*\*?|\*\/|\*|\/\/|#+)(?= |$)/gm, (marker) => ' '.repeat(marker.length));
}

function blank(code: string): string {
  return code.replace(/\S/g, '_');
}

/**
 * A sentence may continue in the next line, unless a paragraph, list item, heading, quotation or table row begins
 * there.
 */
function joinParagraphs(text: string): string {
  return text.replace(/(?<!\n)\n(?!\n|\s*(?:[-*>#|_]|\d+\.\s))/g, ' ');
}
