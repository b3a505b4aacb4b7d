import { DeployError, EXIT } from './deploy-error.js';

/** Milliseconds of `1h30m`, `10m`, `5s` or `250ms`, as Docker and Go write them. Other text is ignored. */
export function parseDuration(text: string): number {
  const units: Record<string, number> = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1 };
  return [...text.matchAll(/(\d+(?:\.\d+)?)(ms|h|m|s)/g)].reduce(
    (sum, [, amount, unit = '']) => sum + Number(amount) * (units[unit] ?? 0),
    0,
  );
}

/** A duration of the command line, in milliseconds. The error names the flag. */
export function parseTime(flag: string, text: string): number {
  if (/^\d+(?:ms|s|m|h)$/.test(text)) return parseDuration(text);
  throw new DeployError({
    text: `${flag}: ${JSON.stringify(text)} is not a duration; expected one such as 30s or 10m`,
    fix: 'see: airlock deploy --help',
    exitCode: EXIT.usage,
  });
}
