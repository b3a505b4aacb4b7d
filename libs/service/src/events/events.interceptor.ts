import { type CallHandler, type ExecutionContext, type NestInterceptor, StreamableFile } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { map, type Observable, of, throwError, timeout } from 'rxjs';
import { Problem } from '../problems/problem.js';
import type { ServerEvent } from './event-stream.js';

/** Sends the events that a handler returns as the body of the response, which Fastify pipes to the client. */
export const eventsInterceptor: NestInterceptor<AsyncIterable<ServerEvent>, StreamableFile> = {
  intercept(context: ExecutionContext, next: CallHandler<AsyncIterable<ServerEvent>>): Observable<StreamableFile> {
    const http = context.switchToHttp();
    const [request, reply] = [http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>()];
    const streams = request.server.eventStreams;
    const subscription = streams.subscribe(request, reply);
    const first = streams.requestTimeoutMs;
    const events = subscription.controller.signal.aborted
      ? of(NO_EVENTS)
      : next.handle().pipe(timeout({ first, with: () => throwError(() => new Problem('request-timeout')) }));
    return events.pipe(
      map((found) => {
        // The next connection of the client may reach another process.
        reply.header('connection', 'close').header('x-accel-buffering', 'no');
        return new StreamableFile(streams.send(subscription, found, request), { type: 'text/event-stream' });
      }),
    );
  },
};

/** For a client that connects while the process shuts down: a refusal would keep a browser from coming back. */
const NO_EVENTS: AsyncIterable<ServerEvent> = {
  [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve({ done: true, value: undefined }) }),
};
