import { tracingChannel } from 'node:diagnostics_channel';
import { type Span, SpanStatusCode } from '@opentelemetry/api';
import { readCode } from '../failures/database-failures.js';
import { type OutgoingOperation, OPERATIONS } from './outgoing-operation.js';
import type { Meters } from './otlp-meters.js';
import type { Spans } from './otlp-spans.js';

/** The message that ioredis publishes for a command. */
interface RedisCommand {
  readonly command: string;
}

/** Records our operations and commands to Redis, both from their diagnostics channels. */
export function followOperations(spans: Spans, meters: Meters): () => void {
  const open = new WeakMap<object, { operation: OutgoingOperation; span: Span | undefined; startedAt: number }>();
  const follow = <Message extends object>(name: string, describe: (message: Message) => OutgoingOperation) => {
    const channel = tracingChannel<string, Message>(name);
    const subscriber = {
      start(message: Message) {
        const operation = describe(message);
        const span = spans.startOperation(operation);
        if (span) operation.spanId = span.spanContext().spanId;
        open.set(message, { operation, span, startedAt: performance.now() });
      },
      asyncEnd(message: Message) {
        const { operation, span, startedAt } = open.get(message) ?? {};
        if (!operation || startedAt === undefined) return;
        const outcome = { ...operation.outcome, ...describeError(message) };
        meters.addOperation({ ...operation, outcome }, performance.now() - startedAt);
        span?.setAttributes(outcome);
        if ('error.type' in outcome) span?.setStatus({ code: SpanStatusCode.ERROR });
        span?.end();
      },
    };
    channel.subscribe(subscriber as Parameters<typeof channel.subscribe>[0]);
    return () => void channel.unsubscribe(subscriber as Parameters<typeof channel.unsubscribe>[0]);
  };
  const stops = [
    follow<OutgoingOperation>(OPERATIONS, (operation) => operation),
    follow<RedisCommand>('ioredis:command', ({ command }) => ({
      name: command.toUpperCase(),
      attributes: { 'db.system.name': 'redis', 'db.operation.name': command.toUpperCase() },
    })),
  ];
  return () => stops.forEach((stop) => stop());
}

/** The attributes of a rejected promise. */
function describeError(message: object): Record<string, string> {
  if (!('error' in message)) return {};
  const { error } = message;
  return { 'error.type': readCode(error) ?? (error instanceof Error ? error.name : 'Error') };
}
