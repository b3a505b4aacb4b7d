import type { LayerVerdict } from './verdict.js';
import type { ResetReport } from './run-reset.js';

/** For people: each layer with what it saw, then what stands in the way and the safe command. */
export function formatReport(report: ResetReport): string {
  const lines = report.verdicts.map(formatLine);
  const refusals = report.verdicts.filter(({ verdict }) => verdict === 'refuses').flatMap(formatRefusal);
  return [...lines, ...refusals, ...formatOutcome(report)].join('\n');
}

function formatLine({ layer, title, verdict, saw }: LayerVerdict): string {
  return `${layer.padEnd(3)} ${title.padEnd(14)}  ${verdict.padEnd(11)}  ${saw}`.trimEnd();
}

function formatRefusal({ layer, title, danger, problems }: LayerVerdict): string[] {
  return [
    '',
    `${layer} ${title}: ${danger}`,
    ...problems.flatMap(({ problem, mend }) => [`  ${problem}`, `    ${mend}`]),
  ];
}

function formatOutcome({ outcome, database, failure }: ResetReport): string[] {
  switch (outcome) {
    case 'reset':
      return ['', `${database}: made anew from its template, migrated and seeded.`];
    case 'allowed':
      return [
        '',
        `${database}: every layer holds that can be judged without a clone; without --explain it would be made anew. Nothing was touched.`,
      ];
    case 'refused':
      return ['', ...(failure ? [`The server could not be judged: ${failure}`] : []), REFUSED];
  }
}

const REFUSED =
  'Refused; nothing was touched. Most tests need no reset: `make test` gives each file a database of its own.';
