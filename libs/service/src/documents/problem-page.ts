import { problems, type ProblemCode } from '../problems/problem-codes.js';

/** The page of one code in docs/errors. */
export function renderProblemPage(code: ProblemCode): string {
  const { status, title, meaning, remedy } = problems[code];
  return [
    `# ${code}`,
    `HTTP ${status}: ${title}.`,
    '## Meaning',
    meaning,
    '## How to fix it',
    remedy,
    '## Example',
    ['```json', JSON.stringify(createExample(code), null, 2), '```'].join('\n'),
    '',
  ]
    .join('\n\n')
    .replace(/\n+$/, '\n');
}

/** The list of all codes. */
export function renderProblemIndex(): string {
  const rows = Object.entries(problems).map(
    ([code, { status, title }]) => `- [${code}](${code}.md): ${status}, ${title.toLowerCase()}`,
  );
  return `# Errors\n\nEvery error is a problem detail (RFC 9457), \`application/problem+json\`. Branch on \`code\`: it never changes.\n\n${rows.join('\n')}\n`;
}

const exampleErrors: Partial<Record<ProblemCode, string>> = {
  conflict: 'is taken by another record',
  'validation-failed': 'is longer than 200',
};

function createExample(code: ProblemCode): object {
  const { status, title } = problems[code];
  const detail = exampleErrors[code];
  const errors = detail && { errors: [{ pointer: '#/name', detail }] };
  const instance = 'urn:airlock:request:0768b453-b139-4415-885a-da03afbe9106';
  return { type: `urn:airlock:problem:${code}`, title, status, code, instance, ...errors };
}
