import type { Exception, StackParser } from '@sentry/core';

/** A longer chain is assumed to be a loop. */
const MAX_CAUSES = 5;
const FRAME = /^ +at .+/;
/** The name of a class, and a code of PostgreSQL, Node or a library. Neither can contain a value. */
const NAME = /^[A-Za-z_$][\w$]{0,63}$/;
const CODE = /^[A-Z0-9][A-Z0-9_]{1,63}$/;
/** Names of the schema that PostgreSQL adds to its errors. They are not secret, because the migrations contain them. */
const SCHEMA_NAMES = ['schema', 'table', 'column', 'dataType', 'constraint', 'routine'] as const;
const IDENTIFIER = /^[\w$]{1,63}$/;

/**
 * Describes an error and its causes, the root cause first, without messages, details or hints, which must not leave the
 * process. The frames show the line that threw. The log has the message with the id of the request.
 */
export function describeExceptions(error: unknown, parseStack: StackParser): Exception[] {
  const chain: unknown[] = [error];
  for (
    let last = error;
    last instanceof Error && last.cause !== undefined && chain.length < MAX_CAUSES;
    last = last.cause
  )
    chain.push(last.cause);
  return chain
    .filter((part, index) => index === 0 || part instanceof Error)
    .map((part) => describeException(part, parseStack))
    .reverse();
}

function describeException(error: unknown, parseStack: StackParser): Exception {
  if (!(error instanceof Error)) return { type: typeof error, value: describeCode({}) };
  const frames = parseStack(readFrames(error));
  return {
    type: NAME.test(error.name) ? error.name : 'Error',
    value: describeCode(error as unknown as Record<string, unknown>),
    ...(frames.length > 0 && { stacktrace: { frames } }),
  };
}

function describeCode(error: Readonly<Record<string, unknown>>): string {
  const { code } = error;
  const names = SCHEMA_NAMES.flatMap((name) => {
    const value = error[name];
    return typeof value === 'string' && IDENTIFIER.test(value) ? [`${name} ${value}`] : [];
  });
  const known = [...(typeof code === 'string' && CODE.test(code) ? [code] : []), ...names].join(', ');
  return `${known || 'no code'}; find the message in the log by the id of the request`;
}

/** A stack begins with the message, which may contain lines that look like frames. */
function readFrames({ stack = '', message }: Error): string {
  const start = message === '' ? 0 : stack.indexOf(message);
  if (start < 0) return '';
  const lines = stack.slice(start + message.length).split('\n');
  return lines.filter((line) => FRAME.test(line)).join('\n');
}
