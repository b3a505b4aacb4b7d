import type { DestinationStream } from 'pino';
import type { PrettyOptions } from 'pino-pretty';
import type { RequestLine } from './request-line.js';

const REQUEST_FIELDS: Readonly<Record<keyof RequestLine, true>> = {
  method: true,
  path: true,
  route: true,
  status_code: true,
  duration_ms: true,
  user: true,
};
const HIDDEN = ['service', 'version', 'environment', 'request_id', 'correlation_id', ...Object.keys(REQUEST_FIELDS)];

/**
 * One readable line for each event, for people at a terminal. Loaded only if `LOG_FORMAT=pretty`. Writes synchronously,
 * so that the last line before an exit is not lost.
 */
export async function createPrettyStream(options: PrettyOptions = {}): Promise<DestinationStream> {
  const { default: pretty } = await import('pino-pretty').catch((cause: unknown) => {
    throw new Error(
      'LOG_FORMAT: is pretty, but pino-pretty is not installed; expected json where only the API is installed\n' +
        '  LOG_FORMAT=json',
      { cause },
    );
  });
  return pretty({
    sync: true,
    singleLine: true,
    messageKey: 'event',
    timestampKey: 'timestamp',
    translateTime: 'SYS:HH:MM:ss.l',
    errorLikeObjectKeys: ['error'],
    ignore: HIDDEN.join(','),
    messageFormat: describeEvent,
    ...options,
  });
}

/** The fields of a log line that the pretty format shows. */
interface Line extends Partial<RequestLine> {
  readonly event?: string;
  readonly request_id?: string;
}

/** The event with its request id; requests with method, path, status and duration. */
function describeEvent(descriptor: object): string {
  const line = descriptor as Line;
  const id = line.request_id ? ` [${line.request_id}]` : '';
  return `${line.event === 'request' ? describeRequest(line) : line.event}${id}`;
}

function describeRequest({ method, path, status_code: status, duration_ms: ms, user }: Line): string {
  return `${method} ${path} ${status} ${ms} ms${user ? ` ${user}` : ''}`;
}
