import type { LayerVerdict } from './verdict.js';
import type { ResetReport } from './run-reset.js';

/** For users: each layer with its facts, then the problems and the safe command. */
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
    ...problems.flatMap(({ problem, fix }) => [`  ${problem}`, `    ${fix}`]),
  ];
}

function formatOutcome({ outcome, database, failure }: ResetReport): string[] {
  switch (outcome) {
    case 'reset':
      return ['', `${database}: recreated from its template, migrated and seeded.`];
    case 'allowed':
      return [
        '',
        `${database}: every layer that can be checked without a clone holds; without --explain the database would be recreated. Nothing was changed.`,
      ];
    case 'refused':
      return ['', ...(failure ? [`The server could not be checked: ${failure}`] : []), REFUSED];
  }
}

const REFUSED = 'Refused; nothing was changed. Most tests need no reset: `make test` gives each file its own database.';
