import { connectionsConfig, type ConfigType } from '@airlock/config/nest';
import { Attempts, type ReturnOutcome } from '@airlock/provider-connections';
import { Operation, Problem } from '@airlock/service';
import { Controller, Get, HttpCode, Inject, Param, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';

const PROVIDER = { schema: z.strictObject({ provider: z.string().regex(/^[a-z][a-z0-9-]{0,39}$/) }) };

@Controller()
export class CallbackController {
  constructor(
    private readonly attempts: Attempts,
    @Inject(connectionsConfig.KEY) private readonly config: ConfigType<typeof connectionsConfig>,
  ) {}

  /** Sends the user to the page of the configuration, wherever the request came from and whatever it contains. */
  @Get(':provider')
  @HttpCode(303)
  @Operation({ summary: 'Return from a provider', response: { status: 303 }, access: 'public' })
  async receive(
    @Param(PROVIDER) { provider }: { provider: string },
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    // Fastify serves HEAD as GET. A program that looks at a link must not use up its state.
    if (request.method !== 'GET') throw new Problem('method-not-allowed', { headers: { allow: 'GET' } });
    const [, query = ''] = /\?(.*)$/s.exec(request.url) ?? [];
    const outcome = await this.attempts.receive(provider, query);
    if ('error' in outcome) request.context.refusal = { reason: outcome.reason };
    reply.header('location', `${this.config.page}#${describe(provider, outcome)}`);
  }
}

/** In the fragment, which a browser sends to no server. */
function describe(provider: string, outcome: ReturnOutcome): string {
  const { confirmation, error } = { confirmation: undefined, error: undefined, ...outcome };
  return new URLSearchParams({ provider, ...(error ? { error } : { confirmation }) }).toString();
}
