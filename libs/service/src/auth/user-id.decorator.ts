import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { TokenRefusal, unauthenticated } from '../failures/token-refusal.js';

/** The id of the caller, from the verified token. A public route has none. */
export const UserId = createParamDecorator((_: unknown, context: ExecutionContext): string => {
  const { userId } = context.switchToHttp().getRequest<FastifyRequest>().context;
  if (userId === undefined) throw unauthenticated(new TokenRefusal('header-missing'));
  return userId;
});
