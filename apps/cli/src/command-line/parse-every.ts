import { InvalidArgumentError } from 'commander';

/** @returns milliseconds */
export function parseEvery(text: string): number {
  const [, amount, unit] = /^([1-9]\d{0,4})([mh])$/.exec(text) ?? [];
  if (amount) return Number(amount) * (unit === 'h' ? 3_600_000 : 60_000);
  throw new InvalidArgumentError('Expected minutes or hours, such as 90m or 24h.');
}
