import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { mergeMap, NEVER, type Observable } from 'rxjs';
import type { Conversation, MessageSchemas } from './connection.js';

/** Opens the WebSocket of a route, and gives it to the conversation that the handler returns. */
export const createSocketsInterceptor = (schemas: MessageSchemas): NestInterceptor<Conversation, never> => ({
  intercept(context: ExecutionContext, next: CallHandler<Conversation>): Observable<never> {
    const http = context.switchToHttp();
    const [request, reply] = [http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>()];
    const open = request.server.webSockets.prepare(request, reply);
    return next.handle().pipe(
      mergeMap((conversation) => {
        open(conversation, schemas);
        // There is no response; Nest stops waiting when the socket closes.
        return NEVER;
      }),
    );
  },
});
