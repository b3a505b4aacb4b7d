import type { Docker, RunResult } from './docker.js';

/** A Docker CLI that gives these answers to `attempt`, in order, and keeps what it was asked. */
export function answering(...answers: Partial<RunResult>[]): Docker & { readonly asked: readonly string[] } {
  const asked: string[] = [];
  const unexpected = (): never => {
    throw new Error('not expected here');
  };
  const attempt = (words: readonly string[]) => {
    asked.push(words.join(' '));
    return Promise.resolve({ status: 0, stdout: '', stderr: '', ...answers.shift() });
  };
  return { asked, attempt, run: unexpected, find: unexpected };
}
