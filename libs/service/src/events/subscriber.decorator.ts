import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { EventSubscriber } from '../context/request-context.js';

/** The client of a stream of events. */
export const Subscriber = createParamDecorator((_: unknown, context: ExecutionContext): EventSubscriber => {
  const { subscriber } = context.switchToHttp().getRequest<FastifyRequest>().context;
  if (!subscriber) throw new Error('@Subscriber: the route streams no events; expected `events` in its @Operation');
  return subscriber;
});
